"""The line that bears most on each claim."""

from __future__ import annotations

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.prompting.claim_lines import claim_lines
from kofinlaw.data.prompting.claims import Claims
from kofinlaw.data.prompting.packing import line_parents

FIRST = [
    "① 은행은 다음 각 호의 사고로 생긴 손해를 배상한다.",
    "1. 접근매체의 위조",
    "2. 전송 과정의 사고",
    "② 은행은 보험에 가입하여야 한다.",
]
SECOND = ["① 금융위원회는 은행의 허가를 취소할 수 있다."]


def lines_for(stem: str, *claims: str, bodies: tuple[list[str], ...] = (FIRST, SECOND)):
    grams = [[frozenset(bigrams(line)) for line in body] for body in bodies]
    headers = ["은행법 제9조(책임)", "은행법 제53조(제재)"][: len(bodies)]
    return claim_lines(Claims(stem, claims), headers, grams, list(map(line_parents, bodies)))


def test_each_claim_has_the_line_that_bears_on_it() -> None:
    stem = "은행에 관한 설명으로 옳은 것은?"
    found = lines_for(stem, "보험에 가입하여야 한다.", "허가를 취소할 수 있다.")
    assert sorted(found) == [(0, 3), (1, 0)]


def test_an_item_is_read_together_with_its_paragraph() -> None:
    assert lines_for("은행이 손해를 배상하는 사고는?", "접근매체의 위조") == [(0, 1)]


def test_a_line_for_two_claims_is_there_once() -> None:
    assert lines_for("은행은?", "보험에 가입한다.", "보험에 가입하여야 한다.") == [(0, 3)]


def test_of_equal_lines_that_of_the_better_passage_wins() -> None:
    assert lines_for("은행은?", "보험에 가입", bodies=(FIRST, FIRST)) == [(0, 3)]


def test_no_passages_and_no_claims_give_no_lines() -> None:
    assert lines_for("은행은?", "보험", bodies=()) == []
    assert lines_for("은행은?") == []
