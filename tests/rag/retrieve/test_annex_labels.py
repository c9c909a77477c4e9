"""A search for the label of a row finds the part of the annex that holds the row."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from kofinlaw.data.chunking import chunk_document
from kofinlaw.data.law.annexes import Annex
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.readers.frames import drawn_tables
from kofinlaw.data.settings import ChunkSettings
from kofinlaw.files import write_jsonl
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question

# Each label has a word that no other label has.
LABELS = [
    *("국채와 지방채", "특수채", "금융채", "일반 회사채", "기업어음", "외화예금", "수익증권"),
    *("상장주식", "비상장 주식", "부동산 담보대출", "신용대출", "콜론", "파생결합증권", "미수금"),
    *("리스자산", "영업용 건물", "무형자산", "보증서 발급분", "가지급금", "예치금", "출자금"),
]
BOX = RagSettings(lexical="bigram", embedder=None, k=3)


def drawn(labels: list[str]) -> str:
    """Draw a table of two columns with the values 1, 2, 3 …"""
    rows = [("자산의 종류", "위험값"), *((label, str(n)) for n, label in enumerate(labels, 1))]
    # A Korean letter is two columns wide, a blank and a digit one.
    cells = [
        "│" + "│".join(c + " " * (24 - len(c.encode("cp949"))) for c in row) + "│" for row in rows
    ]
    rule = "─" * 12
    lines = [f"┌{rule}┬{rule}┐", cells[0]]
    for cell in cells[1:]:
        lines += [f"├{rule}┼{rule}┤", cell]
    return "\n".join([*lines, f"└{rule}┴{rule}┘"])


@seed(18)
@settings(max_examples=8, deadline=None)
@given(
    st.permutations(LABELS).flatmap(lambda rows: st.integers(4, 10).map(lambda n: rows[: 2 * n])),
    st.sampled_from([48, 200]),
)
def test_the_label_of_any_row_of_drawn_tables_finds_its_row(labels: list[str], tokens: int) -> None:
    half = len(labels) // 2
    chunks: list[Chunk] = []
    for number, part in ((1, labels[:half]), (2, labels[half:])):
        text = f"다음 표에 따른다.\n\n{drawn_tables(drawn(part))}"
        plain = Document("시험감독규정", "rule", text, "2024-09-15", f"별표{number}.md", "x", "x")
        annex = replace(plain, annex=Annex(f"별표 {number}", "자산의 위험값", ""))
        chunks += chunk_document(annex, ChunkSettings(max_row_tokens=tokens)).chunks
    rows = {line for chunk in chunks for line in chunk.text.split("\n") if line.startswith("|")}
    wanted = {f"| {label} | {n % half + 1} |" for n, label in enumerate(labels)}
    assert wanted <= rows
    with tempfile.TemporaryDirectory() as folder:
        write_jsonl(Path(folder) / "chunks.jsonl", chunks)
        build_index(Path(folder) / "chunks.jsonl", Path(folder) / "index", BOX)
        retriever = Retriever(Index.load(Path(folder) / "index"), BOX)
        found = retriever.search([Question(label, label) for label in labels])
    for n, (label, hits) in enumerate(zip(labels, found, strict=True)):
        assert f"| {label} | {n % half + 1} |" in hits[0].chunk.text
