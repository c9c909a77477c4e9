"""Building an index: search works, killed builds resume, unchanged passages are reused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from corpora import TEXTS, PicoEmbedder, chunk, settings, write_chunks

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.rag.index import blocks as index_blocks
from kofinlaw.rag.index import index_jobs
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question


@pytest.mark.parametrize("lexical", ["bigram", "kiwi", "both"])
def test_build_load_search(tmp_path: Path, chunks: Path, lexical: str) -> None:
    figures = build_index(chunks, tmp_path / "index", settings(lexical=lexical))
    assert figures.chunks == 5
    index = Index.load(tmp_path / "index")
    retriever = Retriever(index, settings(lexical=lexical))
    found = retriever.search(
        [
            Question("1", "접근매체가 위조되어 이용자에게 손해가 나면 누가 배상하는가?"),
            Question("2", "개인정보 유출을 알려야 하는 시간은?", ("24시간", "72시간")),
        ]
    )
    assert [hits[0].chunk.unit for hits in found] == [
        "전자금융거래법 제9조",
        "개인정보 보호법 제34조",
    ]
    assert found[0][0].chunk.text.startswith("전자금융거래법 제9조\n금융회사는")
    assert not (tmp_path / "index" / "building").exists()


def test_a_build_killed_in_the_middle_is_resumed(
    tmp_path: Path, chunks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_blocks, "BLOCK", 2)
    calls: list[int] = []
    real = index_jobs.tokens_of

    def dying(kind: str, texts: Any, *, workers: int = 1) -> Any:
        calls.append(len(texts))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(kind, texts, workers=workers)

    monkeypatch.setattr(index_jobs, "tokens_of", dying)
    with pytest.raises(KeyboardInterrupt):
        build_index(chunks, tmp_path / "index", settings())
    with pytest.raises(UserError, match="no complete index"):
        Index.load(tmp_path / "index")
    build_index(chunks, tmp_path / "index", settings())
    assert calls == [2, 2, 2, 1]
    monkeypatch.undo()
    build_index(chunks, tmp_path / "whole", settings())
    one, other = Index.load(tmp_path / "index"), Index.load(tmp_path / "whole")
    assert one.fingerprint == other.fingerprint
    assert one.chunks == other.chunks
    assert one.tokens("bigram") == other.tokens("bigram")


def test_unchanged_passages_are_taken_from_the_previous_index(tmp_path: Path, chunks: Path) -> None:
    build_index(chunks, tmp_path / "old", settings())
    more = tmp_path / "more.jsonl"
    write_jsonl(more, [*(chunk(u, t) for u, t in TEXTS.items()), chunk("신용정보법 제1조", "목적")])
    figures = build_index(more, tmp_path / "new", settings(), previous=tmp_path / "old")
    assert figures.reused == 5
    assert Index.load(tmp_path / "new").tokens("bigram")[:5] == Index.load(tmp_path / "old").tokens(
        "bigram"
    )


def test_an_empty_corpus_and_a_repeated_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    path.write_text("")
    with pytest.raises(UserError, match="no passage"):
        build_index(path, tmp_path / "index", settings())
    one = chunk("가법 제1조", "목적")
    write_jsonl(path, [one, one])
    with pytest.raises(UserError, match="two passages have the id `가법/제1조`"):
        build_index(path, tmp_path / "index", settings())


@pytest.fixture
def pico(monkeypatch: pytest.MonkeyPatch) -> PicoEmbedder:
    embedder = PicoEmbedder()
    monkeypatch.setattr("kofinlaw.models.embedders.open_embedder", lambda name, cache: embedder)
    return embedder


def test_only_a_changed_document_is_cut_and_embedded_again(
    tmp_path: Path, pico: PicoEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = settings(embedder="pico")
    build_index(write_chunks(tmp_path), tmp_path / "index", recipe)
    assert len(pico.seen) == 5
    cut: list[str] = []
    real = index_jobs.tokens_of

    def counting(kind: str, texts: Any, *, workers: int = 1) -> Any:
        cut.extend(texts)
        return real(kind, texts, workers=workers)

    monkeypatch.setattr(index_jobs, "tokens_of", counting)
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


def units(index: Index, question: str, **values: Any) -> list[str]:
    found = Retriever(index, settings(**values)).search([Question("1", question)])[0]
    return [hit.chunk.unit for hit in found]


def test_building_again_repairs_a_damaged_index(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    chunks = write_chunks(tmp_path)
    build_index(chunks, folder, settings())
    for file in folder.rglob("data/*.lance"):
        file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(UserError, match="damaged"):
        units(Index.load(folder), "접근매체")
    build_index(chunks, folder, settings())
    assert units(Index.load(folder), "접근매체 대여")[0] == "전자금융거래법 제6조"


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
    with pytest.raises(UserError, match="no complete index"):
        Index.load(tmp_path / "index")
    build_index(chunks, tmp_path / "whole", settings())
    cut: list[str] = []
    real = index_jobs.tokens_of

    def counting(kind: str, texts: Any, *, workers: int = 1) -> Any:
        cut.extend(texts)
        return real(kind, texts, workers=workers)

    monkeypatch.setattr(index_jobs, "tokens_of", counting)
    monkeypatch.setattr(index_blocks, "BLOCK", 8)
    monkeypatch.setattr("kofinlaw.rag.index.build.BLOCK", 8)
    build_index(chunks, tmp_path / "index", settings())
    assert len(cut) == 59 - 24
    one, other = Index.load(tmp_path / "index"), Index.load(tmp_path / "whole")
    assert (one.fingerprint, one.chunks) == (other.fingerprint, other.chunks)
    assert one.tokens("bigram") == other.tokens("bigram")
