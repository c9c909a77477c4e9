"""Hard negatives: high in the lists, and none of them answers the query."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.augment.retrieval.answers_too import AnswersToo
from kofinlaw.augment.retrieval.negatives import (
    Asked,
    hard_negatives,
    lexical_search,
    with_negatives,
)
from kofinlaw.augment.retrieval.pairs import Corpus, Pair
from kofinlaw.records import Chunk

ARTICLES = {
    "가상은행법 제1조": (
        "예금의 지급",
        "은행은 예금주가 청구하면 예금을 지체 없이 지급하여야 한다.",
    ),
    "가상은행법 제2조": (
        "대출의 한도",
        "은행은 같은 개인에게 자기자본의 일부를 넘는 대출을 할 수 없다.",
    ),
    "가상은행법 제3조": ("검사", "위원회는 은행의 예금 업무와 대출 업무를 검사할 수 있다."),
    "가상은행법 제4조": (
        "과태료",
        "제1조를 위반하여 예금을 지급하지 아니한 은행에 과태료를 부과한다.",
    ),
    "가상보험법 제1조": ("예금의 지급", "보험회사는 맡은 금액을 돌려주어야 한다."),
    "가상보험법 제2조": ("준비금", "보험회사는 보험금을 지급하기 위하여 준비금을 적립하여야 한다."),
    "가상보험법 제3조": ("지급 기한", "예금주가 청구하면 은행은 예금을 지체 없이 지급하여야 한다."),
}
LINKED = [("가상은행법 제4조", "가상은행법 제1조")]


def chunk(unit: str, heading: str, text: str) -> Chunk:
    title, _, number = unit.rpartition(" ")
    shown = f"{unit}({heading})\n{text}"
    return Chunk(unit, title, title, "statute", number, unit, shown, "2026-01-01", "s", "PD", unit)


CHUNKS = [chunk(unit, *texts) for unit, texts in ARTICLES.items()]
ROW = {one.unit: row for row, one in enumerate(CHUNKS)}
QUERY = "예금주가 예금을 청구하였다."


def test_what_may_answer_too_is_no_negative() -> None:
    check = AnswersToo(CHUNKS, LINKED)
    first = ROW["가상은행법 제1조"]
    answers = {one.unit for one in CHUNKS if check(QUERY, first, ROW[one.unit])}
    assert answers == {
        "가상은행법 제1조",  # the article itself
        "가상은행법 제4조",  # cites it
        "가상보험법 제1조",  # has its heading
        "가상보험법 제3조",  # holds the query's words, and nearly its text
    }
    assert check(QUERY, first, ROW["가상은행법 제3조"], units={"가상은행법 제3조"})


def test_negatives_come_from_the_lists_in_turn_and_by_seed() -> None:
    third, fourth = ROW["가상은행법 제3조"], ROW["가상보험법 제2조"]
    lists = ([first := ROW["가상은행법 제1조"], third], [fourth, third])
    searches = [lambda _, rows=rows: rows for rows in lists]
    asked = [Asked(QUERY, first)]
    (found,) = hard_negatives(asked, CHUNKS, LINKED, searches, count=2, seed=0)
    assert found.negatives == (fourth, third)
    assert hard_negatives([], CHUNKS, LINKED, searches, count=2, seed=0) == []
    lexical = lexical_search(CHUNKS)
    assert lexical(QUERY)[0] in (first, ROW["가상보험법 제3조"])
    assert lexical("zzz") == []


def test_a_pair_gets_the_text_of_a_passage_that_does_not_answer() -> None:
    corpus = Corpus(tuple(CHUNKS), (), tuple(LINKED))
    first = CHUNKS[0]
    pairs = [
        Pair(QUERY, first.text, "", "sentence", first.unit, first.id),
        Pair("zzz", first.text, "", "sentence", first.unit, first.id),
    ]
    found, none = with_negatives(pairs, corpus, seed=0)
    assert found.negative in {CHUNKS[ROW["가상은행법 제2조"]].text, CHUNKS[ROW["가상은행법 제3조"]].text,
                              CHUNKS[ROW["가상보험법 제2조"]].text}  # fmt: skip
    assert none == pairs[1]


def test_two_passages_that_answer_one_query_are_no_negatives_of_each_other() -> None:
    second, third = ROW["가상은행법 제2조"], ROW["가상은행법 제3조"]
    asked = [Asked("감독", second), Asked("감독", third)]
    found = hard_negatives(asked, CHUNKS, [], [lambda _: [second, third]], count=5, seed=0)
    assert [one.negatives for one in found] == [(), ()]


@settings(max_examples=25)
@given(st.integers(0, 50), st.integers(1, 6), st.randoms(use_true_random=False))
def test_no_negative_answers_and_a_seed_gives_the_same(
    seed: int, count: int, rng: random.Random
) -> None:
    words = [w for _, text in ARTICLES.values() for w in text.split()]
    asked = [
        Asked(" ".join(rng.sample(words, rng.randint(1, 5))), rng.randrange(len(CHUNKS)))
        for _ in range(4)
    ]
    searches = [lexical_search(CHUNKS)]
    found = hard_negatives(asked, CHUNKS, LINKED, searches, count=count, seed=seed)
    check = AnswersToo(CHUNKS, LINKED)
    for one in found:
        assert len(one.negatives) == len(set(one.negatives)) <= count
        assert not any(check(one.query, one.positive, row) for row in one.negatives)
    again = hard_negatives(asked, CHUNKS, LINKED, searches, count=count, seed=seed)
    assert found == again
