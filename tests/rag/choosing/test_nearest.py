"""Sentences ranked by their similarity to the question."""

from __future__ import annotations

import pytest

from kofinlaw.rag.choosing.nearest import (
    nearest_sentence,
    nearest_sentences,
    nearest_values,
    quotation,
)
from kofinlaw.rag.reading.candidates import Candidate

SHOWN = [
    "가람거래법 제9조(신고)\n① 은행은 사고를 안 날부터 7일 안에 신고하여야 한다.\n"
    "② 은행은 가람거래법 위반을 공시한다.",
    "가람거래법 제4조(보관)\n① 은행은 거래 기록을 5년 동안 보관하여야 한다.",
]


def any_length(text: str) -> bool:
    return True


def test_the_sentence_with_the_questions_words_is_first() -> None:
    found = nearest_sentences("거래 기록은 몇 년 동안 보관하는가?", SHOWN, 2, any_length)
    assert [one.passage for one, _ in found] == [1, 0]
    assert found[0][0].text == "은행은 거래 기록을 5년 동안 보관하여야 한다."
    assert found[0][1] > found[1][1]


def test_words_of_the_acts_title_do_not_count() -> None:
    question = "「가람거래법」에 따르면, 은행은 사고를 며칠 안에 신고하는가?"
    assert nearest_sentence(question, SHOWN).startswith("은행은 사고를")
    asked = "은행은 사고를 며칠 안에 신고하는가?"
    plain = nearest_sentences(asked, SHOWN, 3, any_length)
    named = nearest_sentences(f"가람거래법에서 {asked}", SHOWN, 3, any_length)
    assert [one.text for one, _ in plain] == [one.text for one, _ in named]


def test_words_that_every_sentence_has_count_less() -> None:
    same = [Candidate(f"은행은 {word}을 한다.", 0, "") for word in ("공시", "보관", "신고")]
    values = nearest_values("은행은 보관을 어떻게 하는가?", same)
    assert values.index(max(values)) == 1


def test_the_heading_counts_where_the_sentence_does_not_say_it() -> None:
    headings = ("가람법 제2조(기한)", "가람법 제1조(위약금)")
    values = nearest_values(
        "위약금은 얼마인가?", [Candidate("2배를 낸다.", 0, heading) for heading in headings]
    )
    assert values[1] > values[0]


def test_nothing_in_common_is_no_answer_and_a_long_one_is_cut() -> None:
    assert nearest_sentence("고래의 크기는?", ["토끼가 뛴다."]) == ""
    assert nearest_sentence("고래의 크기는?", []) == ""
    assert nearest_sentence("거래 기록 보관", SHOWN, 20) == "은행은 거래 기록을 5년 동안"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("2급 사고는 몇 시간 안에 보고하는가?", "2급 사고"),
        ("1급 사고는 몇 시간 안에 보고하는가?", "1급 사고"),
        ("제2항의 사고는 몇 시간 안에 보고하는가?", "사고"),
    ],
)
def test_a_quotation_has_the_figures_of_the_question(question: str, expected: str) -> None:
    law = "가람 규정 제7조(보고)\n① 은행은 다음 각 호의 시간 안에 보고한다.\n"
    law += "1. 1급 사고: 1시간\n2. 2급 사고: 3시간\n3. 3급 사고: 2일"
    found = quotation(question, [law], lambda text: len(text) < 99)
    assert found is not None
    assert expected in found[0].text
    assert quotation(question, [], lambda _: True) is None


ARTICLES = [
    "가람규정 제8조(연체)\n연체가 길면 이관한다.",
    "가람규정 제1조(목적)\n이 규정은 무슨 내용인지 정한다.",
    "나래규정 제8조(교육)\n무슨 내용의 교육인지 알린다.",
    "가람규정 [별표 2의2] 연체 이자(제8조 관련)\n무슨 내용이든 연 3퍼센트로 한다.",
    "자산운용위원회 규칙 제8조(한도)\n한도는 3퍼센트이다.",
]


@pytest.mark.parametrize(
    ("question", "passages"),
    [
        ("가람규정 제8조는 무슨 내용인가요?", {0}),
        ("「가람규정」 제8조(연체)의 내용은 무엇인가요?", {0}),
        ("제8조는 무슨 내용인가요?", {0, 2, 4}),
        ("가람규정 별표 2의2의 내용은?", {3}),
        ("가람규정 별표2의2는 뭔가요?", {3}),
        ("자산운영위원회 규칙 제8조가 뭔가요?", {4}),
        ("자산운용위훤회규칙 제8조는 무슨 내용인가요?", {4}),
        ("가람규정 제9조는 무슨 내용인가요?", {0, 1, 2, 3, 4}),
        ("가람규정 별표 2는 무슨 내용인가요?", {0, 1, 2, 3, 4}),
        ("가람규정 제8조에 따라 교육은 무슨 내용인가요?", {0, 1, 2, 3, 4}),
    ],
)
def test_a_question_that_only_names_a_provision_gets_its_sentences(
    question: str, passages: set[int]
) -> None:
    found = nearest_sentences(question, ARTICLES, 9, any_length)
    assert {one.passage for one, _ in found} == passages
