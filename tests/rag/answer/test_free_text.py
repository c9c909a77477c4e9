"""Free text: its opening, its length, and the choice between candidates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.rag.answer.agreement import (
    combine,
)
from kofinlaw.rag.answer.free_text import opening_of, similarity, tidy
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.records import Question


def turn(number: int, **values: object) -> Turn:
    return Turn("q", number, "full", 1, 10, 2, **values)  # type: ignore[arg-type]


def test_the_candidate_most_like_the_others_wins() -> None:
    texts = [
        "손해를 배상한다",
        "금융회사가 손해를 배상할 책임을 진다",
        "금융회사가 손해를 배상한다",
    ]
    answer = combine(Question("q", "?"), [turn(i, text=t) for i, t in enumerate(texts)], [])
    assert answer is not None
    assert answer.answer == texts[2]


def test_tidy_keeps_whole_sentences() -> None:
    assert tidy("첫째 문장이다. 둘째 문장이다. 셋째.", 100) == "첫째 문장이다. 둘째 문장이다."
    assert tidy("첫째 문장이다. 둘째 문장이다.", 10) == "첫째 문장이다."
    assert tidy("\n \n", 10) == ""


@pytest.mark.parametrize(
    ("question", "opening"),
    [
        ("전자금융거래의 안전성 확보의무를 설명하시오.", "전자금융거래의 안전성 확보의무는"),
        ("접근매체란 무엇인가?", "접근매체는"),
        ("금융회사의 배상책임에 대하여 간략히 서술하세요.", "금융회사의 배상책임은"),
        ("갑은 은행에서 대출을 받았다. 이때 은행은 며칠 안에 알려야 하는가?", ""),
    ],
)
def test_an_answer_opens_with_the_subject_where_one_is_seen(question: str, opening: str) -> None:
    assert opening_of(question) == opening


@given(st.text(alphabet="가나다라 ", max_size=20), st.text(alphabet="가나다라 ", max_size=20))
def test_similarity_is_a_symmetric_share(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert 0.0 <= similarity(one, other) <= 1.0
