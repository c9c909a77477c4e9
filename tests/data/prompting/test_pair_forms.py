"""Preference pairs of other tools, and what is refused."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.augment.forms.chat_forms import FORMS, pair_line
from kofinlaw.data.prompting.pair_forms import ReadPair, read_pair

SYSTEM = {"role": "system", "content": "법령에 답한다."}
ASKED = {"role": "user", "content": "기한은?"}
GOOD, BAD = ({"role": "assistant", "content": text} for text in ("3일", "4일"))
PAIR = ReadPair([ASKED], "3일", "4일")


@pytest.mark.parametrize(
    "line",
    [
        {"messages": [ASKED], "chosen": "3일", "rejected": "4일"},
        {"prompt": "기한은?", "chosen": "3일", "rejected": "4일"},
        {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]},
        {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"instruction": "기한은?", "input": "", "chosen": "3일", "rejected": "4일"},
        {
            "conversations": [{"from": "human", "value": "기한은?"}],
            "chosen": {"from": "gpt", "value": "3일"},
            "rejected": {"from": "gpt", "value": "4일"},
        },
    ],
)
def test_pairs_of_other_tools_are_read(line):
    assert read_pair(line, "p.jsonl:1") == PAIR


@pytest.mark.parametrize("form", FORMS)
def test_what_kofinlaw_forms_writes_is_read_back(form):
    for messages in ([ASKED], [SYSTEM, ASKED], [ASKED, GOOD, ASKED]):
        found = read_pair(pair_line(form, messages, "3일", "4일"), "")
        assert found == ReadPair(messages, "3일", "4일")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"messages": [ASKED], "chosen": "3일"}, "a pair needs"),
        ({"chosen": "3일", "rejected": "4일"}, "a pair needs"),
        ({"messages": [ASKED], "chosen": [GOOD, BAD], "rejected": "4일"}, "a pair needs"),
        ({"messages": [ASKED], "chosen": "3일", "rejected": "4일", "weight": 0.5}, "`weight` is 0.5"),
        ({"messages": [ASKED], "chosen": "3일", "rejected": "4일", "train": False}, "cannot be left out"),
        ({"messages": [ASKED], "chosen": "3일", "rejected": "4일", "tools": ["x"]}, "`tools`"),
    ],
)  # fmt: skip
def test_other_shapes_and_ignored_fields_are_refused(line, said):
    with pytest.raises(UserError, match=said) as caught:
        read_pair(line, "p.jsonl:1")
    assert caught.value.where.startswith("p.jsonl:1")
