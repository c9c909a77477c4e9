"""Search the files of an index: bm25s over its tokens, and exact search over its vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.rag.arrays import Found, Mask, Vectors
from kofinlaw.rag.fusion import fuse_both
from kofinlaw.rag.index.admission import Admission
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.tokens import tokens_of
from kofinlaw.rag.settings import Fusion

__all__ = ["LocalStore", "nearest"]


class LocalStore:
    """Searches the files of an index. A lexical index is opened by the first query that needs it.

    `workers` is the number of threads that cut queries into morphemes.
    """

    fuses = False

    def __init__(self, index: Index, workers: int = 1) -> None:
        self._index = index
        self._workers = workers
        self._opened: dict[str, LexicalIndex] = {}

    def lexical(
        self, kind: str, queries: Sequence[str], k: int, allowed: Sequence[Admission]
    ) -> list[Found]:
        """Return the best `k` passages that share tokens with each query, by BM25.

        Raises UserError where the index has no such tokens.
        """
        if kind not in self._opened:
            self._opened[kind] = self._index.lexical(kind)
        lexical = self._opened[kind]
        tokens = tokens_of(kind, queries, workers=self._workers)
        return [
            lexical.query(words, k, allowed=one.mask)
            for words, one in zip(tokens, allowed, strict=True)
        ]

    def dense(self, vectors: Vectors, k: int, allowed: Sequence[Admission]) -> list[Found]:
        """Return the `k` passages nearest to each vector, by cosine; exact."""
        return [
            nearest(self._index.vectors, vector, k, one.mask)
            for vector, one in zip(vectors, allowed, strict=True)
        ]

    def hybrid(
        self,
        kind: str,
        queries: Sequence[str],
        vectors: Vectors,
        k: int,
        *,
        alpha: float,
        fusion: Fusion,
        allowed: Sequence[Admission],
    ) -> list[Found]:
        """Return the best `k` passages of both searches fused.

        `alpha` is the share of the vectors.
        """
        lexical = self.lexical(kind, queries, k, allowed)
        dense = self.dense(vectors, k, allowed)
        return [
            fuse_both(by_words, by_vector, k, alpha, fusion)
            for by_words, by_vector in zip(lexical, dense, strict=True)
        ]


def nearest(vectors: Vectors, query: Vectors, k: int, mask: Mask | None = None) -> Found:
    """Return rows and cosines of the `k` rows nearest to `query` [dimensions], best first; exact.

    `vectors` is [passages, dimensions]; only rows in `mask` are compared.
    """
    scores = vectors @ np.asarray(query, dtype=np.float32)
    rows = np.arange(len(scores)) if mask is None else np.flatnonzero(mask)
    if len(rows) > k:
        cut = np.partition(scores[rows], -k)[-k]
        rows = rows[scores[rows] >= cut]
    order = np.lexsort((rows, -scores[rows]))[:k]
    return rows[order], scores[rows[order]]
