"""Neighbours and cross-references added behind the hits."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from corpora import settings, write_chunks

from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question


def test_neighbours_come_behind_the_hits(tmp_path: Path, chunks: Path) -> None:
    build_index(chunks, tmp_path / "index", settings())
    retriever = Retriever(Index.load(tmp_path / "index"), settings(k=1, neighbours=1))
    hits = retriever.search([Question("1", "위조로 발생한 손해 배상")])[0]
    assert [hit.chunk.unit for hit in hits] == [
        "전자금융거래법 제9조",
        "전자금융거래법 제6조",
        "전자금융거래법 제9조의2",
    ]
    assert hits[1].by == ("neighbour",)


TODAY = date(2026, 11, 22)


def found(index: Index, question: str, day: str = "", **values) -> list[str]:
    retriever = Retriever(index, settings(**values), today=TODAY)
    as_of = date.fromisoformat(day) if day else None
    return [hit.chunk.id for hit in retriever.search([Question("1", question)], as_of=as_of)[0]]


def test_neighbours_are_those_of_the_day(index: Index) -> None:
    def around(day: str) -> list[str]:
        return found(index, "점포를 닫으려는 은행", day, k=1, neighbours=1)

    assert around("2023-01-01") == [
        "가람법/제4조",
        "가람법@2022-06-10/제3조",
        "가람법@2022-06-10/제5조",
    ]
    assert around("2025-01-01") == ["가람법/제4조", "가람법@2024-09-15/제2조", "가람법/제5조"]


def test_references_lead_from_an_earlier_text_to_the_text_of_its_day(index: Index) -> None:
    ids = found(index, "은행은 매년 보고하여야 한다", "2023-01-01", k=1, cross_references=2)
    assert ids == ["가람법@2022-06-10/제3조", "가람법@2022-06-10/제5조"]


def built(folder: Path, chunks: Any = None, **values: Any) -> Index:
    build_index(write_chunks(folder, chunks), folder / "index", settings(**values))
    return Index.load(folder / "index")


def units(retriever: Retriever, question: str, **values: Any) -> list[str]:
    return [hit.chunk.unit for hit in retriever.search([Question("1", question)], **values)[0]]


def test_articles_that_hits_cite_come_behind_the_hits(tmp_path: Path) -> None:
    edges = [
        ("전자금융거래법 제9조", "개인정보 보호법 제34조", True),
        ("전자금융거래법 제9조", "전자금융거래법 제9조", True),
        ("전자금융거래법 제9조", "민법 제750조", False),
        ("전자금융거래법 제6조", "개인정보 보호법 제15조", True),
        ("전자금융거래법 제6조", "개인정보 보호법 제34조", True),
    ]
    rows = [{"source": s, "target": t, "resolved": r} for s, t, r in edges]
    (tmp_path / "citations.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    index = built(tmp_path)
    question = "접근매체의 위조로 발생한 손해"
    assert units(Retriever(index, settings(k=2)), question) == [
        "전자금융거래법 제9조",
        "전자금융거래법 제6조",
    ]
    one = Retriever(index, settings(k=2, cross_references=1)).search([Question("1", question)])[0]
    assert (one[2].chunk.unit, one[2].by) == ("개인정보 보호법 제34조", ("reference",))
    both = units(Retriever(index, settings(k=2, cross_references=5, neighbours=1)), question)
    assert both[2:] == [
        "전자금융거래법 제9조의2",
        "개인정보 보호법 제34조",
        "개인정보 보호법 제15조",
    ]
    assert index.fingerprint != built(tmp_path / "other").fingerprint
