"""Blocks of vectors: resumed after a kill, cut to the configured length."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from corpora import PicoEmbedder, chunk, settings, write_chunks

from kofinlaw.rag.index import blocks as index_blocks
from kofinlaw.rag.index.build import build_index


@pytest.fixture
def pico(monkeypatch: pytest.MonkeyPatch) -> PicoEmbedder:
    embedder = PicoEmbedder()
    monkeypatch.setattr("kofinlaw.models.embedders.open_embedder", lambda name, cache: embedder)
    return embedder


def test_a_build_killed_between_vectors_is_resumed(
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


def test_the_embedder_reads_the_asked_part_of_a_passage(tmp_path: Path, pico: PicoEmbedder) -> None:
    long = replace(chunk("가법 제1조", "나"), text="가" * 200)
    path = write_chunks(tmp_path, [long])
    build_index(path, tmp_path / "index", settings(embedder="pico", embed_characters=50))
    assert pico.seen == ["가" * 50]
    build_index(path, tmp_path / "index", settings(embedder="pico"))
    assert pico.seen[1:] == ["가" * 200]  # vectors of another part are not taken over
