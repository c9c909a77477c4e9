"""Passages of the options: found by each option's own words, added behind the hits."""

from __future__ import annotations

from pathlib import Path

from corpora import settings

from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.option_passages import option_queries
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.retrieve.scope import Scope
from kofinlaw.records import Question

CHOICE = Question(
    "1",
    "접근매체의 위조로 발생한 사고에 관한 설명으로 옳은 것은?",
    ("오류정정을 요구할 수 있고 14일 이내에 알려야 한다.", "유출되면 72시간 이내에 알려야 한다."),
)


def _index(tmp_path: Path, chunks: Path) -> Index:
    build_index(chunks, tmp_path / "index", settings(k=1))
    return Index.load(tmp_path / "index")


def test_each_option_adds_its_article_behind_the_hits(tmp_path: Path, chunks: Path) -> None:
    index = _index(tmp_path, chunks)
    plain = Retriever(index, settings(k=1)).search([CHOICE])[0]
    found = Retriever(index, settings(k=1, option_passages=1)).search([CHOICE])[0]
    assert found[: len(plain)] == plain
    units = {hit.chunk.unit for hit in found}
    assert {"전자금융거래법 제9조의2", "개인정보 보호법 제34조"} <= units
    assert len({hit.chunk.id for hit in found}) == len(found)
    added = found[len(plain) :]
    assert added
    assert all(hit.score == 0.0 for hit in added)


def test_a_batch_finds_the_same_as_single_questions(tmp_path: Path, chunks: Path) -> None:
    retriever = Retriever(_index(tmp_path, chunks), settings(k=2, option_passages=2))
    questions = [
        CHOICE,
        Question("2", "유출을 알려야 하는 시간은?"),
        Question("3", "", ("개인정보",)),
    ]
    together = retriever.search(questions)
    assert together == [retriever.search([question])[0] for question in questions]


def test_free_text_has_no_option_query() -> None:
    scope = Scope()
    queries = option_queries([Question("1", "무엇인가?"), CHOICE], [scope, scope])
    assert [query.position for query in queries] == [1, 1]
    assert all(CHOICE.question in query.query.text for query in queries)
