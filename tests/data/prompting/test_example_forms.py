"""Lines of other tools become our forms; what would be ignored is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.augment.forms.chat_forms import FORMS, dialogue_line
from kofinlaw.data.prompting.example_forms import read_example

ASKED, ANSWERED = "기한은?", "3일이다."
DIALOGUE = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}]
SYSTEM = {"role": "system", "content": "법령에 답한다."}


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ({"messages": DIALOGUE}, "messages"),
        ({"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": ANSWERED}]}, "sharegpt"),
        ({"conversation": [{"role": "user", "content": ASKED}, {"from": "assistant", "value": ANSWERED}]}, "sharegpt"),
        ({"instruction": ASKED, "output": ANSWERED}, "alpaca"),
        ({"instruction": ASKED, "input": "", "output": ANSWERED, "history": []}, "alpaca"),
        ({"prompt": ASKED, "response": ANSWERED}, "response"),
        ({"prompt": ASKED, "output": ANSWERED}, "response"),
        ({"question": ASKED, "answer": ANSWERED}, "question"),
        ({"질문": ASKED, "답변": ANSWERED}, "question"),
        ({"query": ASKED, "response": ANSWERED}, "question"),
        ({"prompt": DIALOGUE[:1], "completion": DIALOGUE[1:]}, "turns"),
        ({"messages": DIALOGUE, "prompt": ASKED, "prompt_id": "x"}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}, DIALOGUE[1]]}, "messages"),
    ],
)  # fmt: skip
def test_forms_of_other_tools_become_messages(line, form):
    found = read_example({**line, "source": "x"}, "e.jsonl:1")
    assert (found.form, found.messages) == (form, DIALOGUE)
    assert found.row["messages"] == DIALOGUE
    assert found.row["source"] == "x"
    assert found.texts == [ASKED, ANSWERED]


def test_system_input_and_history_come_before_the_answer():
    line = {
        "instruction": "요약하라.",
        "input": "제1조",
        "output": "요약",
        "system": SYSTEM["content"],
    }
    line["history"] = [[ASKED, ANSWERED]]
    last = [
        {"role": "user", "content": "요약하라.\n제1조"},
        {"role": "assistant", "content": "요약"},
    ]
    assert read_example(line, "").messages == [SYSTEM, *DIALOGUE, *last]
    assert (
        read_example({"messages": DIALOGUE, "system": SYSTEM["content"]}, "").messages[0] == SYSTEM
    )
    developer = [{"role": "developer", "content": SYSTEM["content"]}, *DIALOGUE]
    assert read_example({"messages": developer}, "").messages[0] == SYSTEM


def test_plain_texts_stay_as_they_are():
    assert read_example({"text": "제1조"}, "").row == {"text": "제1조"}
    line = {"prompt": "질문: ", "completion": "답"}
    assert (read_example(line, "").form, read_example(line, "").row) == ("completion", line)


@given(
    st.lists(st.text("가나다 ?.", min_size=1, max_size=6), min_size=2, max_size=6).filter(
        lambda texts: len(texts) % 2 == 0
    ),
    st.booleans(),
    st.sampled_from(FORMS),
)
@settings(max_examples=40, derandomize=True)
def test_what_kofinlaw_forms_writes_is_read_back(texts, with_system, form):
    messages = [
        {"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)
    ]
    if with_system:
        messages = [SYSTEM, *messages]
    assert read_example(dialogue_line(form, messages), "").messages == messages


@pytest.mark.parametrize(
    "mark", [{"train": False}, {"weight": 0}, {"loss": False}, {"weight": 0.0}]
)
def test_answers_and_lines_can_be_left_untrained(mark):
    messages = [*DIALOGUE, {"role": "user", "content": "왜?"}, {**DIALOGUE[1], **mark}]
    found = read_example({"messages": messages}, "")
    assert found.untrained == {3}
    assert found.row["messages"][3] == {**DIALOGUE[1], "train": False}
    again = read_example(found.row, "")
    assert (again.messages, again.untrained) == (found.messages, found.untrained)
    left_out = read_example({"messages": DIALOGUE, **mark}, "")
    assert left_out.left_out
    assert read_example(left_out.row, "").left_out
    assert not read_example({"messages": DIALOGUE, "train": True, "weight": 1}, "").left_out


REFUSED = {
    "weight": 0.5, "loss_weight": 2, "train": "no", "tools": [{"name": "x"}], "images": ["a.png"],
    "tool_calls": [{}], "function_call": {"name": "x"}, "mask": [0, 1], "loss_mask": [1],
    "train_on_inputs": True, "chosen": "가", "rejected": "나", "mask_history": True,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSED))
@pytest.mark.parametrize("place", ["line", "message"])
def test_fields_that_change_what_is_learned_are_refused_by_name(name, place):
    line = {"messages": [dict(message) for message in DIALOGUE]}
    (line if place == "line" else line["messages"][1])[name] = REFUSED[name]
    with pytest.raises(UserError, match=r"e\.jsonl:7") as caught:
        read_example(line, "e.jsonl:7")
    assert name in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("empty", [None, [], {}, "", False])
def test_empty_fields_change_nothing(empty):
    line = {"messages": DIALOGUE, "tools": empty, "images": empty}
    assert read_example(line, "").messages == DIALOGUE


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"prompt": "질문", "text": "본문"}, "two forms of an example, `text` and `prompt`"),
        ({"messages": DIALOGUE, "text": "본문"}, "`messages` and `text`"),
        ({"messages": DIALOGUE, "prompt": "다른 물음"}, "`messages` and `prompt`"),
        ({"messages": DIALOGUE, "conversations": DIALOGUE}, "`messages` and `conversations`"),
        ({"instruction": "가", "output": "나", "text": "본문"}, "`text` and `instruction`"),
        ({"text": "본문", "system": "너는"}, "`system` next to plain `text`"),
        ({"prompt": "가", "completion": "나", "history": [["가", "나"]]}, "`history` next to plain"),
        ({"prompt": "가", "completion": "나", "label": False}, "judges the completion"),
        ({"content": "가"}, "it has content"),
        ({"messages": "가"}, "list `messages`"),
        ({"conversations": [["가", "나"]]}, "not a list of messages"),
        ({"instruction": "가", "output": ["나"]}, "`output` is not a text"),
        ({"instruction": "가", "output": "나", "history": "다"}, "list of pairs"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "`image_url`"),
        ({"messages": [*DIALOGUE[:1], {**DIALOGUE[1], "reasoning_content": "왜"}]}, "reasoning_content"),
    ],
)  # fmt: skip
def test_lines_without_one_known_form_are_refused(line, said):
    with pytest.raises(UserError, match=said) as caught:
        read_example(line, "e.jsonl:2")
    assert caught.value.where.startswith("e.jsonl:2")
