"""Tables from before a field was added are read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from acts import VERSIONS, indexed
from corpora import settings

from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question

TODAY = date(2026, 11, 22)


def found(index: Index, question: str, day: str = "", **values) -> list[str]:
    retriever = Retriever(index, settings(**values), today=TODAY)
    as_of = date.fromisoformat(day) if day else None
    return [hit.chunk.id for hit in retriever.search([Question("1", question)], as_of=as_of)[0]]


def test_an_index_from_before_versions_is_read(tmp_path: Path, monkeypatch) -> None:
    from kofinlaw.rag.index.stores import table

    old = tuple(name for name in table.FIELDS if name not in table.ADDED)
    with monkeypatch.context() as patched:
        patched.setattr(table, "FIELDS", old)
        index = indexed(tmp_path, {"가람법": {"2024-09-15": VERSIONS["2024-09-15"]}})
    assert {(chunk.since, chunk.until) for chunk in index.chunks} == {("", "")}
    assert found(index, "과태료는 얼마인가?")[0] == "가람법/제2조"
