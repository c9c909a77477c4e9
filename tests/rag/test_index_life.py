"""An index over time: built again, changed, cut off, read while it is replaced."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from corpora import TEXTS, PicoEmbedder, chunk, settings, write_chunks

from kofinlaw import UserError
from kofinlaw.rag.index import blocks as index_blocks
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question


@pytest.fixture
def pico(monkeypatch: pytest.MonkeyPatch) -> PicoEmbedder:
    embedder = PicoEmbedder()
    monkeypatch.setattr("kofinlaw.models.embedders.open_embedder", lambda name, cache: embedder)
    return embedder


def units(index: Index, question: str, **values: Any) -> list[str]:
    found = Retriever(index, settings(**values)).search([Question("1", question)])[0]
    return [hit.chunk.unit for hit in found]


def test_only_a_changed_document_is_cut_and_embedded_again(
    tmp_path: Path, pico: PicoEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = settings(embedder="pico")
    build_index(write_chunks(tmp_path), tmp_path / "index", recipe)
    assert len(pico.seen) == 5
    cut: list[str] = []
    real = index_blocks.tokens_of

    def counting(kind: str, texts: Any, *, workers: int = 1) -> Any:
        cut.extend(texts)
        return real(kind, texts, workers=workers)

    monkeypatch.setattr(index_blocks, "tokens_of", counting)
    changed = {**TEXTS, "개인정보 보호법 제34조": "유출되면 24시간 이내에 알려야 한다."}
    write_chunks(tmp_path, [chunk(unit, text) for unit, text in changed.items()])
    figures = build_index(tmp_path / "chunks.jsonl", tmp_path / "index", recipe)
    new = ["개인정보 보호법 제34조\n유출되면 24시간 이내에 알려야 한다."]
    assert (cut, pico.seen[5:]) == (new, new)
    assert figures.reused == 4 + 4  # tokens and vectors
    index = Index.load(tmp_path / "index")
    fresh = tmp_path / "fresh"
    build_index(tmp_path / "chunks.jsonl", fresh, recipe)
    assert (index.vectors == Index.load(fresh).vectors).all()
    assert index.tokens("bigram") == Index.load(fresh).tokens("bigram")


def test_who_opened_the_old_index_goes_on_reading_it_while_and_after_the_new_one_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    build_index(write_chunks(tmp_path), folder, settings())
    opened = Index.load(folder)
    write_chunks(tmp_path, [chunk("신용정보법 제1조", "신용정보의 이용을 촉진한다.")])
    during: list[list[str]] = []
    real = index_blocks.tokens_of

    def asking(kind: str, texts: Any, *, workers: int = 1) -> Any:
        monkeypatch.setattr(index_blocks, "tokens_of", real)
        during.append(units(Index.load(folder), "개인정보 유출을 알려야 하는 시간"))
        return real(kind, texts, workers=workers)

    monkeypatch.setattr(index_blocks, "tokens_of", asking)
    build_index(tmp_path / "chunks.jsonl", folder, settings())
    assert during[0][0] == "개인정보 보호법 제34조"
    assert units(opened, "개인정보 유출을 알려야 하는 시간")[0] == "개인정보 보호법 제34조"
    assert units(Index.load(folder), "신용정보의 이용") == ["신용정보법 제1조"]
    for text in ("가", "나", "다"):
        write_chunks(tmp_path, [chunk("신용정보법 제1조", f"{text} 신용정보의 이용을 촉진한다.")])
        build_index(tmp_path / "chunks.jsonl", folder, settings())
    assert len(list(folder.glob("g-*"))) == 2


def test_a_build_killed_between_vectors_goes_on(
    tmp_path: Path, pico: PicoEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_blocks, "VECTOR_BLOCK", 2)
    real = pico.encode_passages

    def dying(texts: Any, **_: Any) -> Any:
        if len(pico.seen) >= 2:
            raise KeyboardInterrupt
        return real(texts)

    monkeypatch.setattr(pico, "encode_passages", dying)
    chunks = write_chunks(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        build_index(chunks, tmp_path / "index", settings(embedder="pico"))
    monkeypatch.setattr(pico, "encode_passages", real)
    build_index(chunks, tmp_path / "index", settings(embedder="pico"))
    assert len(pico.seen) == 5


def test_building_again_mends_a_damaged_index(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    chunks = write_chunks(tmp_path)
    build_index(chunks, folder, settings())
    for file in folder.rglob("data/*.lance"):
        file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(UserError, match="damaged"):
        units(Index.load(folder), "접근매체")
    build_index(chunks, folder, settings())
    assert units(Index.load(folder), "접근매체 대여")[0] == "전자금융거래법 제6조"


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
    with pytest.raises(UserError, match=r"cut by kiwipiepy 0\.1"):
        units(Index.load(folder), "접근매체", lexical="kiwi")


def test_the_embedder_reads_the_asked_part_of_a_passage(tmp_path: Path, pico: PicoEmbedder) -> None:
    long = replace(chunk("가법 제1조", "나"), text="가" * 200)
    path = write_chunks(tmp_path, [long])
    build_index(path, tmp_path / "index", settings(embedder="pico", embed_characters=50))
    assert pico.seen == ["가" * 50]
    build_index(path, tmp_path / "index", settings(embedder="pico"))
    assert pico.seen[1:] == ["가" * 200]  # vectors of another part are not taken over


def test_a_build_killed_without_warning_ends_with_the_same_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = write_chunks(
        tmp_path,
        [chunk(f"가법 제{n}조", f"{n}번째 조문은 접근매체를 정한다.") for n in range(1, 60)],
    )
    script = (
        "import os, sys; from pathlib import Path\n"
        "from kofinlaw.rag.index import blocks, build\n"
        "from kofinlaw.rag.index.build import build_index\n"
        "from kofinlaw.rag.settings import RagSettings\n"
        "build.BLOCK = blocks.BLOCK = 8\n"
        "def progress(phase, done, total=None, **_):\n"
        "    if phase.startswith('tokens') and done >= 24: os.kill(os.getpid(), 9)\n"
        f"build_index(Path({str(chunks)!r}), Path({str(tmp_path / 'index')!r}),\n"
        "            RagSettings(lexical='bigram'), progress=progress)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    left = sorted((tmp_path / "index" / "building" / "blocks").glob("tokens-*"))
    assert len(left) == 3
    with pytest.raises(UserError, match="no finished index"):
        Index.load(tmp_path / "index")
    build_index(chunks, tmp_path / "whole", settings())
    cut: list[str] = []
    real = index_blocks.tokens_of

    def counting(kind: str, texts: Any, *, workers: int = 1) -> Any:
        cut.extend(texts)
        return real(kind, texts, workers=workers)

    monkeypatch.setattr(index_blocks, "tokens_of", counting)
    monkeypatch.setattr(index_blocks, "BLOCK", 8)
    monkeypatch.setattr("kofinlaw.rag.index.build.BLOCK", 8)
    build_index(chunks, tmp_path / "index", settings())
    assert len(cut) == 59 - 24
    one, other = Index.load(tmp_path / "index"), Index.load(tmp_path / "whole")
    assert (one.fingerprint, one.chunks) == (other.fingerprint, other.chunks)
    assert one.tokens("bigram") == other.tokens("bigram")
