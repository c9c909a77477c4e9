"""Old and new generations of an index folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpora import chunk, settings, write_chunks

from kofinlaw.rag.index import index_jobs
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question


def units(index: Index, question: str, **values: Any) -> list[str]:
    found = Retriever(index, settings(**values)).search([Question("1", question)])[0]
    return [hit.chunk.unit for hit in found]


def test_an_opened_index_stays_readable_while_and_after_a_new_one_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    build_index(write_chunks(tmp_path), folder, settings())
    opened = Index.load(folder)
    write_chunks(tmp_path, [chunk("신용정보법 제1조", "신용정보의 이용을 촉진한다.")])
    during: list[list[str]] = []
    real = index_jobs.tokens_of

    def asking(kind: str, texts: Any, *, workers: int = 1) -> Any:
        monkeypatch.setattr(index_jobs, "tokens_of", real)
        during.append(units(Index.load(folder), "개인정보 유출을 알려야 하는 시간"))
        return real(kind, texts, workers=workers)

    monkeypatch.setattr(index_jobs, "tokens_of", asking)
    build_index(tmp_path / "chunks.jsonl", folder, settings())
    assert during[0][0] == "개인정보 보호법 제34조"
    assert units(opened, "개인정보 유출을 알려야 하는 시간")[0] == "개인정보 보호법 제34조"
    assert units(Index.load(folder), "신용정보의 이용") == ["신용정보법 제1조"]
    for text in ("가", "나", "다"):
        write_chunks(tmp_path, [chunk("신용정보법 제1조", f"{text} 신용정보의 이용을 촉진한다.")])
        build_index(tmp_path / "chunks.jsonl", folder, settings())
    assert len(list(folder.glob("g-*"))) == 2


def test_the_same_build_again_leaves_the_index_in_use_until_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    chunks = write_chunks(tmp_path)
    build_index(chunks, folder, settings())
    rename = Path.rename

    def killed(path: Path, target: Path) -> Path:
        if path.name == "building":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        build_index(chunks, folder, settings())
    assert units(Index.load(folder), "접근매체 대여")[0] == "전자금융거래법 제6조"
    monkeypatch.setattr(Path, "rename", rename)
    for _ in range(3):
        opened = Index.load(folder)
        build_index(chunks, folder, settings())
        for index in (opened, Index.load(folder)):
            assert units(index, "접근매체 대여")[0] == "전자금융거래법 제6조"
    assert len(list(folder.glob("g-*"))) == 2
