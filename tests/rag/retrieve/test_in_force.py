"""The text in force on a day, by its own dates or by its title."""

from __future__ import annotations

import datetime
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from acts import VERSIONS, corpus, fine, indexed
from corpora import chunk, settings, write_chunks
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.law.versions import read_chunks
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.calendar import Calendar
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.version_merge import merge_versions
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Chunk, Question

TODAY = date(2026, 11, 22)


def found(index: Index, question: str, day: str = "", **values) -> list[str]:
    retriever = Retriever(index, settings(**values), today=TODAY)
    as_of = date.fromisoformat(day) if day else None
    return [hit.chunk.id for hit in retriever.search([Question("1", question)], as_of=as_of)[0]]


@pytest.mark.parametrize(
    ("day", "best"),
    [
        ("", "가람법@2024-09-15/제2조"),  # today's, not the one to come
        ("2022-06-10", "가람법@2022-06-10/제2조"),
        ("2024-09-14", "가람법@2022-06-10/제2조"),
        ("2024-09-15", "가람법@2024-09-15/제2조"),
        ("2026-12-31", "가람법@2024-09-15/제2조"),
        ("2027-01-01", "가람법/제2조"),
    ],
)
def test_the_text_in_force_on_the_day_is_found_by_words_and_by_citation(
    index: Index, day: str, best: str
) -> None:
    assert found(index, "알리지 아니한 자의 과태료는 얼마인가?", day)[0] == best
    named = found(index, "가람법 제2조를 설명하시오.", day, citation_lookup=True, k=1)
    assert named == [best]


def test_no_day_shows_two_texts_of_one_article(index: Index) -> None:
    for day in ("", "2022-06-10", "2024-09-15", "2027-01-01"):
        ids = found(index, "은행 과태료 보고 감독기관 목적 폐점", day, k=9, neighbours=3)
        units = [index.chunks[index.row_of[one]].unit for one in ids]
        assert len(units) == len(set(units)) >= 4


def test_a_deleted_article_is_found_on_the_days_before_only(index: Index) -> None:
    question = "은행은 매년 보고하여야 하는가?"
    assert found(index, question, "2023-01-01")[0] == "가람법@2022-06-10/제3조"
    assert "가람법@2022-06-10/제3조" not in found(index, question)
    assert "가람법@2022-06-10/제3조" not in found(index, question, "2025-01-01")


def test_an_act_that_is_only_to_come_keeps_its_first_text(tmp_path: Path) -> None:
    versions = {"2027-01-01": (fine(300),), "2028-01-01": (fine(500),)}
    index = indexed(tmp_path, {"가람법": versions})
    assert found(index, "과태료는 얼마인가?") == ["가람법@2027-01-01/제2조"]
    assert found(index, "과태료는 얼마인가?", "2026-11-22") == []


def test_an_index_without_versions_finds_the_same_on_any_day(tmp_path: Path) -> None:
    index = indexed(tmp_path, {"가람법": {"2024-09-15": VERSIONS["2024-09-15"]}})
    assert "earlier_sha256" not in index.meta
    one, other = (
        Retriever(index, settings(), today=day) for day in (date(1999, 1, 1), date(2099, 1, 1))
    )
    assert one.fingerprint == other.fingerprint
    asked = [Question("1", "과태료는 얼마인가?")]
    assert one.search(asked) == other.search(asked) != [[]]


def test_chunks_without_days_of_their_own_follow_each_other_by_title(tmp_path: Path) -> None:
    rows = [
        Chunk(
            f"가람법/제1조@{day}", "가람법", "가람법", kind, "", "가람법 제1조", "", day, "", "", ""
        )
        for day, kind in (("2020-01-01", "statute"), ("2024-01-01", "statute"), ("", "manual"))
    ]
    calendar = Calendar(rows)
    assert calendar.in_force(date(2021, 1, 1)).tolist() == [True, False, True]
    assert calendar.in_force(date(2025, 1, 1)).tolist() == [False, True, True]
    assert calendar.in_force(date(2019, 1, 1)).tolist() == [False, False, True]


LAWS = st.dictionaries(
    st.sampled_from(["2019-01-01", "2020-05-05", "2021-12-31", "2024-02-29"]),
    st.dictionaries(
        st.integers(1, 5), st.sampled_from(["보고한다", "알린다", "삼간다"]), min_size=1
    ),
    min_size=1,
)


@hypothesis.settings(max_examples=40, deadline=None)
@given(LAWS)
def test_each_day_shows_the_articles_of_its_version_and_nothing_else(
    laws: dict[str, dict[int, str]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        versions = {
            day: tuple(
                (f"제{number}조 (의무)", f"은행은 이용자에게 매년 한 번 그 사실을 {word}.")
                for number, word in sorted(law.items())
            )
            for day, law in laws.items()
        }
        chunks = list(merge_versions(read_chunks(corpus(Path(name), {"가람법": versions}))))
    calendar = Calendar(chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    days = sorted(laws)
    for day, end in zip(days, [*days[1:], "2100-01-01"], strict=True):
        for asked in (date.fromisoformat(day), date.fromisoformat(end) - timedelta(days=1)):
            shown = [
                c for c, one in zip(chunks, calendar.in_force(asked).tolist(), strict=True) if one
            ]
            texts = {int(c.unit.split("제")[1].rstrip("조")): c.text for c in shown}
            assert list(texts) == sorted(laws[day])  # in the order of the act
            assert all(laws[day][number] in text for number, text in texts.items())


BY_TITLE = [
    chunk("가법 제1조", "벌금은 100만원으로 한다.", as_of="2020-01-01"),
    chunk("가법 제2조", "과태료는 없어질 것이다.", as_of="2020-01-01"),
    chunk("가법 제1조", "벌금은 200만원으로 한다.", as_of="2024-07-01"),
    chunk("가법 제1조", "벌금은 300만원으로 한다.", as_of="2030-01-01"),
    chunk("나법 제1조", "벌금은 500만원으로 한다.", as_of="2019-01-01"),
    chunk("판례1 제1", "벌금 100만원을 선고한 사례", as_of="2021-01-01", kind="case"),
    chunk("판례1 제1", "벌금 900만원을 선고한 사례", as_of="2029-01-01", kind="case"),
]


@pytest.mark.parametrize(
    ("day", "rows"),
    [
        ("2018-12-31", []),
        ("2020-01-01", [0, 1, 4]),
        ("2024-06-30", [0, 1, 4, 5]),
        ("2024-07-01", [2, 4, 5]),  # 제2조 went with the version that held it
        ("2031-01-01", [3, 4, 5, 6]),
    ],
)
def test_only_the_newest_text_not_after_the_day_is_in_force(day: str, rows: list[int]) -> None:
    mask = Calendar(BY_TITLE).in_force(datetime.date.fromisoformat(day))
    assert mask.nonzero()[0].tolist() == rows


def built(folder: Path, chunks: Any = None, **values: Any) -> Index:
    build_index(write_chunks(folder, chunks), folder / "index", settings(**values))
    return Index.load(folder / "index")


def test_each_question_is_answered_from_the_law_of_its_day(tmp_path: Path) -> None:
    index = built(tmp_path, BY_TITLE)
    days = [datetime.date(2023, 5, 1), datetime.date(2025, 5, 1), None]
    questions = [Question(str(i), "가법 제1조 벌금은 얼마인가?") for i in range(3)]
    found = Retriever(index, settings(k=1)).search(questions, as_of=days)
    assert ["100만원" in found[0][0].chunk.text, "200만원" in found[1][0].chunk.text] == [True] * 2
    fixed = Retriever(index, settings(k=5, as_of="2031-02-03"))
    assert "300만원" in fixed.search(questions[:1])[0][0].chunk.text
    cited = Retriever(index, settings(k=5, citation_lookup=True)).search(
        questions[:1], as_of=days[0]
    )[0]
    assert {hit.chunk.as_of for hit in cited} <= {"2020-01-01", "2019-01-01", "2021-01-01"}
