"""Broken lines of example files, next to lines in forms that are not read."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.prompting.bad_examples import malformed
from kofinlaw.data.prompting.example_forms import read_example
from kofinlaw.data.prompting.pair_forms import read_pair

_TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": st.just("가")}
)
_VALUES = st.sampled_from(["", "가", 0, 1.5, True, None, [], {}, ["가"], [["가", "나"]], [{}]])
_NAMES = (
    *("messages", "text", "prompt", "completion", "conversations", "dialogue", "dialog", "input"),
    *("instruction", "output", "question", "answer", "history", "chosen", "rejected", "weight"),
)


@pytest.mark.parametrize(
    "value, why",
    [
        ({}, "no fields"),
        ({"id": None, "text": "가"}, "`id` is not a text"),
        ({"messages": None}, "`messages` is not a list"),
        ({"conversations": ["가"]}, "`conversations` is not a list"),
        ({"prompt": 7, "completion": "가"}, "`prompt` is not a text"),
        ({"dialog": ""}, "`dialog` is not a list of messages"),
        ({"completion": [{"role": "assistant", "content": "가"}]}, "`prompt` is not a list"),
    ],
)
def test_a_broken_line_is_named_by_its_field(value, why):
    assert why in malformed(value)


def test_a_whole_line_is_not_broken():
    assert not malformed({"id": 3, "text": "가"})
    assert not malformed({"messages": [], "weight": 0.5})  # refused where fields are read


@given(st.dictionaries(st.sampled_from(_NAMES), _VALUES | st.lists(_TURN, max_size=2), max_size=4))
@settings(max_examples=300, derandomize=True)
def test_a_line_of_any_fields_is_broken_read_or_refused(value):
    for pair, read in ((False, read_example), (True, read_pair)):
        if not malformed(value, pair=pair):
            with contextlib.suppress(UserError):
                read(value, "e.jsonl:1")
