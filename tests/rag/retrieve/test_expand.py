"""Neighbours and cross-references added behind the hits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from corpora import chunk, settings, write_chunks

from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.expand import annex_rows
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


def test_the_best_row_of_an_annex_comes_directly_behind_the_article_that_names_it(tmp_path: Path):
    texts = {
        "규정 제1조": "규정 제1조(한도)\n이용한도는 별표 1과 같다.",
        "규정 제2조": "규정 제2조(한도의 보고)\n이용한도를 넘으면 보고한다.",
        "규정 별표 1/표1": "규정 [별표 1] 금액\n| 구분 | 금액 |\n| 현금카드 | 6백만원 |",
        "규정 별표 1/표1~2": "규정 [별표 1] 금액\n| 구분 | 금액 |\n| 텔레뱅킹 | 5천만원 |",
    }
    chunks = [
        replace(chunk(unit, text), unit=unit.partition("/")[0]) for unit, text in texts.items()
    ]
    edge = {"source": "규정 제1조", "target": "규정 별표 1", "resolved": True}
    (tmp_path / "citations.jsonl").write_text(json.dumps(edge))
    build_index(write_chunks(tmp_path, chunks), tmp_path / "index", settings())
    index = Index.load(tmp_path / "index")
    question = Question("1", "이용한도를 넘는 텔레뱅킹의 한도는?")
    off = Retriever(index, settings(k=2)).search([question])[0]
    assert [hit.chunk.unit for hit in off] == ["규정 제1조", "규정 제2조"]
    on = Retriever(index, settings(k=2, annex_rows=1)).search([question])[0]
    assert [hit.chunk.unit for hit in on] == ["규정 제1조", "규정 별표 1", "규정 제2조"]
    assert on[1].by == ("annex",)
    assert "텔레뱅킹" in on[1].chunk.text
    order = [index.chunks.index(hit.chunk) for hit in off]
    found = annex_rows(index, order, question.question, 1)
    assert [("텔레뱅킹" in index.chunks[row].text) for _, row in found] == [True]
    assert annex_rows(index, order, question.question, 0) == []
    assert annex_rows(index, order, question.question, 1, shown=[False] * len(index.chunks)) == []
