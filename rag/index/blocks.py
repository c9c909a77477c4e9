"""Tokens and vectors of the passages, made in blocks so that a killed build loses at most one.

What an older index holds of an unchanged passage (the same hash) is taken from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import Progress
from kofinlaw.files import atomic_write_bytes, write_json
from kofinlaw.records import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.rag.index.index import Index

BLOCK = 512  # passages cut into tokens between two marks
VECTOR_BLOCK = 64  # passages embedded between two marks


def tokens_of(kind: str, texts: Sequence[str], *, workers: int = 1) -> list[list[str]]:
    """Tokens of each text: Kiwi content morphemes, or Hangul bigrams."""
    from kofinlaw.data.korean.words import bigrams, content_morphemes

    if kind == "kiwi":
        return content_morphemes(texts, workers=workers)
    return [bigrams(text) for text in texts]


class Reusable:
    """Tokens and vectors of an older index, by the passage's hash; `used` counts what was taken."""

    def __init__(self, index: Index | None) -> None:
        self.used = 0
        self._index = index
        self._places = (
            {} if index is None else {chunk.sha256: p for p, chunk in enumerate(index.chunks)}
        )

    def tokens(self, kind: str, tokeniser: str) -> dict[str, list[str]]:
        """Tokens by hash; none where the older index was cut by another tokeniser."""
        index = self._index
        if index is None or kind not in index.meta["lexical"]:
            return {}
        if index.meta["tokeniser"] != tokeniser:
            return {}
        tokens = index.tokens(kind)
        return {sha: tokens[place] for sha, place in self._places.items()}

    def vectors(self, embedder: str, characters: int | None) -> dict[str, NDArray[Any]]:
        """Vectors by hash; none where the older index was embedded otherwise."""
        index = self._index
        wanted = (embedder, characters)
        if index is None or (index.meta["embedder"], index.meta["embed_characters"]) != wanted:
            return {}
        vectors = index.vectors
        return {sha: vectors[place] for sha, place in self._places.items()}


def token_blocks(
    kind: str,
    records: Sequence[Chunk],
    working: Path,
    known: Mapping[str, list[str]],
    old: Reusable,
    workers: int,
    progress: Progress,
) -> list[list[str]]:
    """The tokens of all passages; blocks that are already in `working` are only read."""
    out: list[list[str]] = []
    for start in range(0, len(records), BLOCK):
        block = working / f"tokens-{kind}-{start:08d}.json"
        part = records[start : start + BLOCK]
        if not block.exists():
            new = [record for record in part if record.sha256 not in known]
            made = tokens_of(kind, [record.text for record in new], workers=workers)
            fresh = {record.sha256: words for record, words in zip(new, made, strict=True)}
            old.used += len(part) - len(new)
            rows = [fresh[r.sha256] if r.sha256 in fresh else known[r.sha256] for r in part]
            write_json(block, rows)
        out.extend(json.loads(block.read_text(encoding="utf-8")))
        progress(f"tokens ({kind})", len(out), len(records))
    return out


def vector_blocks(
    name: str,
    characters: int | None,
    records: Sequence[Chunk],
    working: Path,
    known: Mapping[str, NDArray[Any]],
    old: Reusable,
    cache: Path | None,
    progress: Progress,
) -> NDArray[Any]:
    """float32 [passages, dimensions] of the passages' first `characters` (None: all)."""
    from kofinlaw.models.embedders import open_embedder

    embedder = open_embedder(name, cache=cache)
    parts = []
    done = 0
    for start in range(0, len(records), VECTOR_BLOCK):
        block = working / f"vectors-{start:08d}.npy"
        part = records[start : start + VECTOR_BLOCK]
        if not block.exists():
            new = [record for record in part if record.sha256 not in known]
            rows = {r.sha256: known[r.sha256] for r in part if r.sha256 in known}
            if new:
                made = embedder.encode_passages([record.text[:characters] for record in new])
                rows |= {record.sha256: row for record, row in zip(new, made, strict=True)}
            old.used += len(part) - len(new)
            with atomic_write_bytes(block) as handle:
                np.save(handle, np.stack([rows[r.sha256] for r in part]).astype(np.float32))
        parts.append(np.load(block))
        done += len(part)
        progress("vectors", done, len(records), embedder=name)
    return np.concatenate(parts)
