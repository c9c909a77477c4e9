"""Several versions of one act in an index: a day finds the text that was in force on it."""

import json
import tempfile
from datetime import date, timedelta
from pathlib import Path

import hypothesis
import pytest
from acts import VERSIONS, corpus, fine, indexed
from corpora import settings
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.law.versions import read_chunks
from kofinlaw.files import read_jsonl
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.version_merge import interleaved
from kofinlaw.rag.retrieve.in_force import Absent, Calendar
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
        units = [index.chunks[index.place_of[one]].unit for one in ids]
        assert len(units) == len(set(units)) >= 4


def test_a_deleted_article_is_found_on_the_days_before_only(index: Index) -> None:
    question = "은행은 매년 보고하여야 하는가?"
    assert found(index, question, "2023-01-01")[0] == "가람법@2022-06-10/제3조"
    assert "가람법@2022-06-10/제3조" not in found(index, question)
    assert "가람법@2022-06-10/제3조" not in found(index, question, "2025-01-01")


def test_neighbours_are_those_that_stood_beside_it_on_that_day(index: Index) -> None:
    def beside(day: str) -> list[str]:
        return found(index, "점포를 닫으려는 은행", day, k=1, neighbours=1)

    assert beside("2023-01-01") == [
        "가람법/제4조",
        "가람법@2022-06-10/제3조",
        "가람법@2022-06-10/제5조",
    ]
    assert beside("2025-01-01") == ["가람법/제4조", "가람법@2024-09-15/제2조", "가람법/제5조"]


def test_references_lead_from_an_earlier_text_to_the_text_of_its_day(index: Index) -> None:
    ids = found(index, "은행은 매년 보고하여야 한다", "2023-01-01", k=1, cross_references=2)
    assert ids == ["가람법@2022-06-10/제3조", "가람법@2022-06-10/제5조"]


def test_a_day_before_the_first_version_finds_nothing_and_says_which_act(index: Index) -> None:
    question = Question("1", "가람법의 과태료는 얼마인가?", as_of="2021-12-31")
    retriever = Retriever(index, settings(k=1), today=TODAY)
    hits = retriever.search([question], as_of=date(2021, 12, 31))[0]
    assert {hit.chunk.title for hit in hits} <= {"나래법"}
    assert retriever.absent(question) == (Absent("가람법", "2022-06-10"),)
    assert retriever.absent(Question("2", question.question, as_of="2022-06-10")) == ()
    assert retriever.absent(Question("3", question.question)) == ()


def test_an_act_that_is_only_to_come_keeps_its_first_text(tmp_path: Path) -> None:
    versions = {"2027-01-01": (fine(300),), "2028-01-01": (fine(500),)}
    index = indexed(tmp_path, {"가람법": versions})
    assert found(index, "과태료는 얼마인가?") == ["가람법@2027-01-01/제2조"]
    assert found(index, "과태료는 얼마인가?", "2026-11-22") == []


def test_an_index_without_versions_answers_alike_on_any_day(tmp_path: Path) -> None:
    index = indexed(tmp_path, {"가람법": {"2024-09-15": VERSIONS["2024-09-15"]}})
    assert "earlier_sha256" not in index.meta
    one, other = (
        Retriever(index, settings(), today=day) for day in (date(1999, 1, 1), date(2099, 1, 1))
    )
    assert one.fingerprint == other.fingerprint
    asked = [Question("1", "과태료는 얼마인가?")]
    assert one.search(asked) == other.search(asked) != [[]]


def test_the_day_that_another_version_comes_into_force_is_another_fingerprint(
    index: Index,
) -> None:
    fingerprints = [
        Retriever(index, settings(), today=day).fingerprint
        for day in (date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    fixed = settings(as_of="2023-01-01")
    assert (
        Retriever(index, fixed, today=date(2026, 1, 1)).fingerprint
        == Retriever(index, fixed, today=date(2030, 1, 1)).fingerprint
    )


def test_another_earlier_version_is_another_index(index: Index, tmp_path: Path) -> None:
    before = index.fingerprint
    earlier = tmp_path / "data" / "earlier.jsonl"
    rows = earlier.read_text(encoding="utf-8").splitlines(keepends=True)
    earlier.write_text("".join(rows[:-1]), encoding="utf-8")
    counts = build_index(tmp_path / "data" / "chunks.jsonl", tmp_path / "index", settings())
    assert counts.chunks == counts.reused == len(index.chunks) - 1
    assert Index.load(tmp_path / "index").fingerprint != before


def test_an_index_from_before_versions_is_read(tmp_path: Path, monkeypatch) -> None:
    from kofinlaw.rag.index.stores import table

    old = tuple(name for name in table.FIELDS if name not in table.ADDED)
    with monkeypatch.context() as patched:
        patched.setattr(table, "FIELDS", old)
        index = indexed(tmp_path, {"가람법": {"2024-09-15": VERSIONS["2024-09-15"]}})
    assert {(chunk.since, chunk.until) for chunk in index.chunks} == {("", "")}
    assert found(index, "과태료는 얼마인가?")[0] == "가람법/제2조"


def test_chunks_without_days_of_their_own_follow_each_other_by_title(tmp_path: Path) -> None:
    rows = [
        Chunk(
            f"가람법/제1조@{day}", "가람법", "가람법", kind, "", "가람법 제1조", "", day, "", "", ""
        )
        for day, kind in (("2020-01-01", "statute"), ("2024-01-01", "statute"), ("", "manual"))
    ]
    calendar = Calendar(rows)
    assert calendar.on(date(2021, 1, 1)).tolist() == [True, False, True]
    assert calendar.on(date(2025, 1, 1)).tolist() == [False, True, True]
    assert calendar.on(date(2019, 1, 1)).tolist() == [False, False, True]


def test_priors_see_past_texts_of_other_versions(index: Index) -> None:
    """제4조 stands beside 제2조 (제3조 is deleted): its score raises 제2조's in each version."""
    retriever = Retriever(index, settings(k=9, weights={"beside": 5.0}), today=TODAY)
    hits = retriever.search([Question("1", "점포를 닫으려는 은행의 과태료")])[0]
    plain = Retriever(index, settings(k=9), today=TODAY)
    without = {
        h.chunk.id: h.score
        for h in plain.search([Question("1", "점포를 닫으려는 은행의 과태료")])[0]
    }
    raised = {h.chunk.id: h.score - without[h.chunk.id] for h in hits}
    assert raised["가람법@2024-09-15/제2조"] > 0


def test_evidence_ids_of_earlier_versions_are_known_to_the_corpus(index: Index, tmp_path: Path):
    ids = {chunk.id for chunk in read_chunks(tmp_path / "data" / "chunks.jsonl")}
    assert ids == set(index.place_of)
    newest = {chunk.id for chunk in read_jsonl(tmp_path / "data" / "chunks.jsonl", Chunk)}
    references = json.loads(
        (index.folder / index.meta["generation"] / "references.json").read_text()
    )
    assert newest < ids
    assert ["가람법@2022-06-10 제3조", ["가람법 제5조"]] in references


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
        chunks = list(interleaved(read_chunks(corpus(Path(name), {"가람법": versions}))))
    calendar = Calendar(chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    days = sorted(laws)
    for day, end in zip(days, [*days[1:], "2100-01-01"], strict=True):
        for asked in (date.fromisoformat(day), date.fromisoformat(end) - timedelta(days=1)):
            shown = [c for c, one in zip(chunks, calendar.on(asked).tolist(), strict=True) if one]
            told = {int(c.unit.split("제")[1].rstrip("조")): c.text for c in shown}
            assert list(told) == sorted(laws[day])  # in the order in which they stood
            assert all(laws[day][number] in text for number, text in told.items())
