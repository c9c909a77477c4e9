"""Tables of an annex are split into parts of few rows, each below its header."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kofinlaw.data.chunking import chunk_document
from kofinlaw.data.law.annexes import Annex
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.settings import ChunkSettings

ROWS = [f"| 제{n}종 자산의 위험 | {n}{n}% |" for n in range(1, 9)]
TEXT = "\n\n".join(
    [
        "위험값은 다음과 같다.",
        "\n".join(["(단위 : %)", "| 구분 | 위험값 |", "| --- | --- |", *ROWS]),
        "주)",
    ]
)


def chunks_of(text: str, **settings: int):
    plain = Document("시험규정", "rule", text, "2024-09-15", "별표3.md", "x", "markdown")
    document = replace(plain, annex=Annex("별표 3", "위험값", ""))
    return document, chunk_document(document, ChunkSettings(**settings))


def test_each_part_has_the_header_and_the_line_above_the_table():
    _, result = chunks_of(TEXT, max_row_tokens=64)
    tables = [chunk for chunk in result.chunks if "/표1" in chunk.id]
    assert len(tables) > 2
    for chunk in tables:
        lines = chunk.text.split("\n")
        assert lines[0] == "시험규정 [별표 3] 위험값"
        assert "| 구분 | 위험값 |" in lines
        assert "(단위 : %)" in lines
    assert [row for c in tables for row in c.text.split("\n") if "종 자산" in row] == ROWS


@pytest.mark.parametrize("tokens", [0, 1, 64, 200, 1024])
def test_no_character_is_lost(tokens):
    document, result = chunks_of(TEXT, max_row_tokens=tokens)
    spans = sorted([*result.spans, *result.removed], key=lambda span: (span.start, span.end))
    covered = 0
    for span in spans:
        assert not document.text[covered : span.start].strip()
        covered = span.end
    assert not document.text[covered:].strip()
    assert all(any(row in chunk.text for chunk in result.chunks) for row in ROWS)


def test_without_a_limit_for_rows_a_table_stays_in_its_text():
    (chunk,) = chunks_of(TEXT, max_row_tokens=0)[1].chunks
    assert chunk.id.endswith("/별표 3")
    assert all(row in chunk.text for row in ROWS)


def test_a_row_longer_than_a_chunk_is_cut():
    row = "| 긴 자산 | " + "예금과 적금을 말한다. " * 60 + "|"
    _, result = chunks_of(
        "| 구분 | 내용 |\n| --- | --- |\n| 짧은 자산 | 현금 |\n" + row, max_tokens=128
    )
    assert all(len(chunk.text) * 0.6 <= 130 for chunk in result.chunks)
    assert sum(chunk.text.count("적금") for chunk in result.chunks) == 60
