"""Damaged, incomplete and outdated indexes are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from corpora import settings, write_chunks

from kofinlaw import UserError
from kofinlaw.errors import MachineError
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question


def test_an_index_cut_off_in_the_middle_is_called_damaged(tmp_path: Path, chunks: Path) -> None:
    folder = tmp_path / "index"
    build_index(chunks, folder, settings())
    for file in folder.glob("g-*/lexical-bigram/*.npy"):
        file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(UserError, match="damaged"):
        Retriever(Index.load(folder), settings()).search([Question("1", "접근매체")])
    for file in folder.rglob("data/*.lance"):
        file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(UserError, match="damaged"):
        _ = Index.load(folder).chunks


def units(index: Index, question: str, **values: Any) -> list[str]:
    found = Retriever(index, settings(**values)).search([Question("1", question)])[0]
    return [hit.chunk.unit for hit in found]


@pytest.mark.parametrize("missing", ["store", "lexical-bigram", "cited.json", "."])
def test_an_index_that_lacks_a_part_is_called_damaged(tmp_path: Path, missing: str) -> None:
    import shutil

    folder = tmp_path / "index"
    build_index(write_chunks(tmp_path), folder, settings())
    part = next(folder.glob("g-*")) / missing
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    with pytest.raises(UserError, match="damaged"):
        units(Index.load(folder), "접근매체", case_votes=0.5)


def test_a_half_written_index_json_and_another_tokeniser_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    build_index(write_chunks(tmp_path), folder, settings(lexical="kiwi"))
    text = (folder / "index.json").read_text()
    (folder / "index.json").write_text(text[: len(text) // 2])
    with pytest.raises(UserError, match="damaged"):
        Index.load(folder)
    other = json.dumps({**json.loads(text), "tokeniser": "kiwipiepy 0.1, model 0.1"})
    (folder / "index.json").write_text(other)
    with pytest.raises(UserError, match=r"built with kiwipiepy 0\.1"):
        units(Index.load(folder), "접근매체", lexical="kiwi")


def test_too_many_open_files_is_not_called_a_damaged_index(tmp_path: Path, no_more_files) -> None:
    folder = tmp_path / "index"
    build_index(write_chunks(tmp_path), folder, settings())
    index = Index.load(folder)
    assert index.chunks  # imports what reading needs
    reads = [
        lambda: Index.load(folder),
        lambda: Index.load(folder).chunks,
        lambda: index.lexical("bigram"),
        lambda: index.tokens("bigram"),
        lambda: index.cited,
        lambda: index.references,
        lambda: build_index(write_chunks(tmp_path), folder, settings()),
    ]
    for number, read in enumerate(reads):
        with no_more_files(), pytest.raises(MachineError, match="too many open files") as caught:
            read()
        assert "delete" not in str(caught.value), number
    assert Index.load(folder).chunks == index.chunks


def test_deleting_a_damaged_index_is_the_last_advice(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    build_index(write_chunks(tmp_path), folder, settings())
    (folder / "index.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="damaged") as caught:
        Index.load(folder)
    remedy = caught.value.remedy
    assert remedy.index("copy it again") < remedy.index("run `") < remedy.index("delete")
