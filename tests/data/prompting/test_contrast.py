"""Prompts of a choice by contrast: without options, in a chat template or as plain text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.prompting.contrast import (
    SCORED_CHARACTERS,
    bare_messages,
    contrast_answer,
    contrast_messages,
    contrast_text,
    question_end,
)
from kofinlaw.models.templates import ChatTemplate

TEMPLATE = ChatTemplate(
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}",
    bos="<s>",
    eos="<end>",
)


def test_evidence_comes_before_the_stem_and_the_answer_follows() -> None:
    messages = contrast_messages("기한은?", ["제9조\n3일 이내", "제10조"])
    body = "[참고 조문]\n제9조\n3일 이내\n\n제10조\n\n[문제] 기한은?\n정답:"
    assert messages == [{"role": "user", "content": body}]
    assert contrast_text(TEMPLATE, messages) == f"<s><user>{body}<end><assistant>"
    assert contrast_messages("기한은?") == [{"role": "user", "content": "[문제] 기한은?\n정답:"}]


def test_the_plain_form_has_no_turns_and_a_space_before_the_answer() -> None:
    assert contrast_text(TEMPLATE, bare_messages(), "plain") == "<s>정답:"
    assert contrast_text(TEMPLATE, bare_messages(), "chat") == "<s><user>정답:<end><assistant>"
    assert contrast_answer("3일", "plain") == " 3일"
    assert contrast_answer("3일") == "3일"


@given(st.text("가나다. ?\n", max_size=1_200))
def test_the_scored_question_is_the_question_or_its_end(question: str) -> None:
    end = question_end(question)
    if len(question) <= SCORED_CHARACTERS:
        assert end == question
    else:
        assert question.rstrip().endswith(end)
        assert len(end) <= SCORED_CHARACTERS
        assert bool(end.strip()) is bool(question.strip())


def test_a_long_question_begins_at_a_sentence() -> None:
    facts = "甲은 대출을 신청하면서 소득을 확인할 서류를 제출하였다. " * 40
    end = question_end(facts + "은행은 무엇을 설명하여야 하나요?")
    assert end.startswith("甲은")
    assert end.endswith("은행은 무엇을 설명하여야 하나요?")
