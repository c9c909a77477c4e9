import pytest

from kofinlaw.augment.forms.chat_forms import FORMS, dialogue_line, pair_line, unusable_turns


def turns(*roles):
    return [{"role": role, "content": f"{role} {n}"} for n, role in enumerate(roles)]


@pytest.mark.parametrize(
    ("roles", "last", "reason"),
    [
        (("user", "assistant"), "assistant", ""),
        (("system", "user", "assistant", "user", "assistant"), "assistant", ""),
        (("user",), "user", ""),
        (("user", "assistant"), "user", "not of the user"),
        (("system",), "assistant", "not of the assistant"),
        (("user", "user", "assistant"), "assistant", "take turns"),
        (("assistant", "user", "assistant"), "assistant", "take turns"),
        (("user", "tool", "assistant"), "assistant", "'tool'"),
        (("user", "system", "assistant"), "assistant", "after the first"),
    ],
)
def test_only_dialogues_in_turn_can_be_held(roles, last, reason):
    found = unusable_turns(turns(*roles), last=last)
    assert reason in found
    assert bool(found) == bool(reason)


def test_alpaca_keeps_the_prompt_in_one_field_and_earlier_turns_in_order():
    line = dialogue_line("alpaca", turns("system", "user", "assistant", "user", "assistant"))
    assert line == {
        "instruction": "user 3",
        "input": "",
        "history": [["user 1", "assistant 2"]],
        "output": "assistant 4",
        "system": "system 0",
    }


def test_sharegpt_names_human_and_gpt_and_takes_the_system_text_out():
    line = dialogue_line("sharegpt", turns("system", "user", "assistant"))
    assert line["system"] == "system 0"
    assert [turn["from"] for turn in line["conversations"]] == ["human", "gpt"]


def test_a_pair_ends_with_the_question_in_every_form():
    messages = turns("user")
    rows = {form: pair_line(form, messages, "옳다", "그르다") for form in FORMS}
    assert rows["messages"]["prompt"] == messages
    assert rows["messages"]["chosen"] == [{"role": "assistant", "content": "옳다"}]
    assert rows["alpaca"]["chosen"] == "옳다"
    assert rows["alpaca"]["rejected"] == "그르다"
    assert "output" not in rows["alpaca"]
    assert rows["sharegpt"]["rejected"] == {"from": "gpt", "value": "그르다"}
    assert rows["sharegpt"]["conversations"] == [{"from": "human", "value": "user 0"}]
