"""Corrected examples of every form: messages, reply, key and choice agree, or one clear reason."""

from dataclasses import replace

import pytest
from review_examples import (
    LAW,
    OPTIONS,
    QUESTION,
    choice_example,
    correction,
    free_example,
    statement_example,
)

from kofinlaw.augment.review.corrections import corrected, example_parts
from kofinlaw.data.prompting.wording import REASONED_CUE, SYSTEM_PROMPT, choice_messages

NEW = ["1년", "3년", "5년", "7년"]
REASON = '[1] 제4조제3항: "지급업자는 거래기록을 5년간 보존하여야 한다".'


@pytest.mark.parametrize(
    "form,reason", [("label", ""), ("text", ""), ("text", REASON), ("label", REASON)]
)
def test_a_corrected_choice_is_what_the_generator_would_have_written(form, reason):
    made = choice_example(form=form, reason=reason)
    parts = example_parts(made)
    assert (parts.form, parts.fields["target"], parts.evidence) == ("choice", reason, (LAW,))
    found = corrected(made, correction("옳지 않은 것은?", NEW, "4", reason), "kim")
    chosen = "4" if form == "label" else "7년"
    expected = choice_messages("옳지 않은 것은?", NEW, [LAW], form, reasoning=bool(reason))
    assert found.messages[:-1] == expected
    assert found.messages[-1]["content"] == (
        f"{reason}{REASONED_CUE}{chosen}" if reason else chosen
    )
    assert found.answer_key == "4"
    assert found.choice == {
        "question": "옳지 않은 것은?", "options": NEW, "evidence": [LAW],
        "answer": 3, "negative": True, "twin": "",
    }  # fmt: skip
    assert found.checks[-1] == {"check": "reviewed", "ok": True, "detail": "kim"}
    assert found.provenance == made.provenance
    assert made == choice_example(form=form, reason=reason)  # unchanged


def test_a_system_prompt_stays():
    made = choice_example()
    made = replace(made, messages=[{"role": "system", "content": SYSTEM_PROMPT}, *made.messages])
    found = corrected(made, correction(answer="1"), "kim")
    assert [m["role"] for m in found.messages] == ["system", "user", "assistant"]
    assert found.messages[-1]["content"] == "1"


def test_a_statement_has_a_verdict_and_free_text_a_reply():
    made = statement_example()
    fields = example_parts(made).fields
    assert fields["question"] == "지급업자는 거래기록을 3년간 보존하여야 한다."
    found = corrected(made, {**fields, "answer": "알 수 없음"}, "kim")
    assert (found.answer_key, found.messages[-1]["content"]) == ("알 수 없음", "알 수 없음")
    assert found.messages[0] == made.messages[0]
    for evidence in ((LAW,), ()):
        made = free_example(evidence=evidence)
        parts = example_parts(made)
        assert (parts.form, parts.fields["question"]) == ("free", QUESTION)
        assert parts.evidence == evidence
        found = corrected(made, {**parts.fields, "target": "5년이다."}, "kim")
        assert found.answer_key == found.messages[-1]["content"] == "5년이다."


def test_messages_in_other_words_are_corrected_as_plain_text():
    made = choice_example()
    made.messages[0]["content"] = "기간은 얼마인가? 1) 1년 2) 5년"
    parts = example_parts(made)
    assert (parts.form, parts.fields["target"]) == ("text", "3")
    found = corrected(made, correction("기간은 얼마인가? 1) 2년 2) 5년", [], "", "2"), "kim")
    assert [m["content"] for m in found.messages] == ["기간은 얼마인가? 1) 2년 2) 5년", "2"]
    assert found.answer_key == "2"


@pytest.mark.parametrize(
    "example,change,why",
    [
        (choice_example(), {}, "the correction changes nothing"),
        (choice_example(), {"question": " "}, "the question is empty"),
        (choice_example(), {"options": NEW[:3]}, "this example has 4 options"),
        (choice_example(), {"options": ["1년", "", "5년", "7년"]}, "option 2 is empty"),
        (choice_example(), {"options": ["1년", "1 년", "5년", "7년"]}, "two options have the same"),
        (choice_example(), {"options": ["1년", "3\n년", "5년", "7년"]}, "an option has one line"),
        (choice_example(), {"answer": "5"}, "the answer is one of 1, 2, 3, 4"),
        (choice_example(), {"answer": ""}, "the answer is one of 1, 2, 3, 4"),
        (choice_example(), {"target": "이유"}, "it has no reply field"),
        (choice_example(reason=REASON), {"target": ""}, "the reply is empty"),
        (statement_example(), {"answer": "글쎄"}, "the answer is one of 맞음, 틀림, 알 수 없음"),
        (free_example(), {"target": " "}, "the reply is empty"),
        (free_example(), {"answer": "1"}, "it has no answer field"),
        (free_example(), {"options": OPTIONS}, "this example has 0 options"),
        (choice_example(), {"question": "[문제] 기간은?"}, "words that separate the parts"),
        (free_example(), {"question": "[질문] 기간은?"}, "words that separate the parts"),
        (statement_example(), {"question": "가. [설명] 나."}, "words that separate the parts"),
    ],
)
def test_a_correction_that_the_example_does_not_allow_says_why(example, change, why):
    with pytest.raises(ValueError, match=why):
        corrected(example, {**example_parts(example).fields, **change}, "kim")
