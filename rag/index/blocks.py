"""Make tokens and vectors in blocks, so that a killed build loses at most one block.

An unchanged passage (the same hash) takes its tokens and vector from an older index.
"""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np

from kofinlaw import Progress
from kofinlaw.cluster.jobs import HERE, Workers, in_order
from kofinlaw.files import atomic_write_bytes, write_json
from kofinlaw.models.embedders import embedder_identity
from kofinlaw.rag.arrays import Vectors
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.index_jobs import embedding_job, token_job
from kofinlaw.records import Chunk

__all__ = ["BLOCK", "VECTOR_BLOCK", "BlockBuilder"]

BLOCK = 512  # passages in one block of tokens
VECTOR_BLOCK = 64  # passages in one block of vectors


class BlockBuilder:
    """Makes the tokens and vectors of all passages; blocks that exist are only read.

    Args:
        records: The passages, in the order of the index.
        working: Folder of the blocks.
        older: An index whose tokens and vectors are taken where a passage has the same hash.
        workers: The processes that cut and embed.
        progress: Called after each block.

    `reused` counts token lists and vectors taken from `older`.
    """

    def __init__(
        self,
        records: Sequence[Chunk],
        working: Path,
        older: Index | None,
        workers: Workers,
        progress: Progress,
    ) -> None:
        self.reused = 0
        self._records = records
        self._working = working
        self._older = older
        self._workers = workers
        self._rows = {} if older is None else {c.sha256: row for row, c in enumerate(older.chunks)}
        self._progress = progress

    def tokens(self, kind: str, tokenizer: str, *, threads: int) -> list[list[str]]:
        """Return the tokens of each passage. `tokenizer` is the version that cuts them.

        `threads` is the number of Kiwi's threads in each process.
        """
        known = self._known_tokens(kind, tokenizer)
        starts = range(0, len(self._records), BLOCK)
        paths = {start: self._working / f"tokens-{kind}-{start:08d}.json" for start in starts}
        missing = [start for start in starts if not paths[start].exists()]
        out: list[list[str]] = []
        with self._workers.start(token_job(kind, threads)) as pool:
            texts = ([r.text for r in self._new(start, BLOCK, known)] for start in missing)
            made = in_order(pool, texts)
            for start in starts:
                if start in missing:
                    new = self._new(start, BLOCK, known)
                    fresh = {r.sha256: words for r, words in zip(new, next(made), strict=True)}
                    part = self._records[start : start + BLOCK]
                    self.reused += len(part) - len(new)
                    rows = [fresh[r.sha256] if r.sha256 in fresh else known[r.sha256] for r in part]
                    write_json(paths[start], rows)
                out.extend(json.loads(paths[start].read_text(encoding="utf-8")))
                self._progress(f"tokens ({kind})", len(out), len(self._records))
        return out

    def vectors(self, name: str, characters: int | None, cache: Path | None) -> Vectors:
        """Return float32 [passages, dimensions] of the first `characters`
        of each passage (None: all).

        `name` is the embedder's, `cache` its folder of vectors; other processes than this one use
        no cache.
        """
        known = self._known_vectors(name, characters)
        starts = range(0, len(self._records), VECTOR_BLOCK)
        paths = {start: self._working / f"vectors-{start:08d}.npy" for start in starts}
        missing = [start for start in starts if not paths[start].exists()]
        blocks = []
        done = 0
        job = embedding_job(name, cache, here=self._workers is HERE)
        with self._workers.start(job) as pool:
            texts = (
                [record.text[:characters] for record in self._new(start, VECTOR_BLOCK, known)]
                for start in missing
            )
            made = in_order(pool, texts)
            for start in starts:
                part = self._records[start : start + VECTOR_BLOCK]
                if start in missing:
                    new = self._new(start, VECTOR_BLOCK, known)
                    rows = {r.sha256: known[r.sha256] for r in part if r.sha256 in known}
                    rows |= {r.sha256: row for r, row in zip(new, next(made), strict=True)}
                    self.reused += len(part) - len(new)
                    with atomic_write_bytes(paths[start]) as handle:
                        np.save(handle, np.stack([rows[r.sha256] for r in part]).astype(np.float32))
                blocks.append(np.load(paths[start]))
                done += len(part)
                self._progress("vectors", done, len(self._records), embedder=name)
        return np.concatenate(blocks)

    def _new(self, start: int, size: int, known: Container[str]) -> list[Chunk]:
        """Return the passages of a block that the older index does not have."""
        part = self._records[start : start + size]
        return [record for record in part if record.sha256 not in known]

    def _known_tokens(self, kind: str, tokenizer: str) -> dict[str, list[str]]:
        """Return the tokens of the older index by hash; empty where another tokenizer cut them."""
        older = self._older
        if older is None or kind not in older.meta["lexical"]:
            return {}
        if older.meta["tokeniser"] != tokenizer:
            return {}
        tokens = older.tokens(kind)
        return {sha256: tokens[row] for sha256, row in self._rows.items()}

    def _known_vectors(self, embedder: str, characters: int | None) -> dict[str, Vectors]:
        """Return the vectors of the older index by hash; empty where they were made differently."""
        older = self._older
        wanted = (embedder_identity(embedder), characters)
        if older is None or (older.meta["embedder"], older.meta["embed_characters"]) != wanted:
            return {}
        vectors = older.vectors
        return {sha256: vectors[row] for sha256, row in self._rows.items()}
