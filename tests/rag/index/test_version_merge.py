"""Texts of earlier versions in the index."""

from __future__ import annotations

import json
from pathlib import Path

from corpora import settings

from kofinlaw.data.law.versions import read_chunks
from kofinlaw.files import read_jsonl
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.records import Chunk


def test_another_earlier_version_is_another_index(index: Index, tmp_path: Path) -> None:
    before = index.fingerprint
    earlier = tmp_path / "data" / "earlier.jsonl"
    rows = earlier.read_text(encoding="utf-8").splitlines(keepends=True)
    earlier.write_text("".join(rows[:-1]), encoding="utf-8")
    counts = build_index(tmp_path / "data" / "chunks.jsonl", tmp_path / "index", settings())
    assert counts.chunks == counts.reused == len(index.chunks) - 1
    assert Index.load(tmp_path / "index").fingerprint != before


def test_evidence_ids_of_earlier_versions_are_known_to_the_corpus(index: Index, tmp_path: Path):
    ids = {chunk.id for chunk in read_chunks(tmp_path / "data" / "chunks.jsonl")}
    assert ids == set(index.row_of)
    newest = {chunk.id for chunk in read_jsonl(tmp_path / "data" / "chunks.jsonl", Chunk)}
    references = json.loads(
        (index.folder / index.meta["generation"] / "references.json").read_text()
    )
    assert newest < ids
    assert ["가람법@2022-06-10 제3조", ["가람법 제5조"]] in references
