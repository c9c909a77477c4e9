"""The embedded store: bm25s over the index's tokens, exact search over its vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw.rag.fusion import Ranked, fuse
from kofinlaw.rag.index.blocks import tokens_of
from kofinlaw.rag.index.stores import Found

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.data.korean.lexical import LexicalIndex
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.settings import Fusion


class LocalStore:
    """Searches the files of an index; lexical indices are mapped when they are first asked."""

    fuses = False

    def __init__(self, index: Index, workers: int = 1) -> None:
        self._index = index
        self._workers = workers
        self._opened: dict[str, LexicalIndex] = {}

    def lexical(
        self, kind: str, queries: Sequence[str], k: int, masks: Sequence[NDArray[Any] | None]
    ) -> list[Found]:
        """The best `k` passages that share tokens with each query, by BM25.

        Raises UserError where the index has no such tokens.
        """
        if kind not in self._opened:
            self._opened[kind] = self._index.lexical(kind)
        lexical = self._opened[kind]
        tokens = tokens_of(kind, queries, workers=self._workers)
        return [
            lexical.query(words, k, allowed=mask) for words, mask in zip(tokens, masks, strict=True)
        ]

    def dense(
        self, vectors: NDArray[Any], k: int, masks: Sequence[NDArray[Any] | None]
    ) -> list[Found]:
        """The `k` passages nearest to each vector, by cosine; exact."""
        return [
            nearest(self._index.vectors, vector, k, mask)
            for vector, mask in zip(vectors, masks, strict=True)
        ]

    def hybrid(
        self,
        kind: str,
        queries: Sequence[str],
        vectors: NDArray[Any],
        k: int,
        *,
        alpha: float,
        fusion: Fusion,
        masks: Sequence[NDArray[Any] | None],
    ) -> list[Found]:
        """The best `k` of both searches fused: `alpha` is the vectors' share."""
        words = self.lexical(kind, queries, k, masks)
        near = self.dense(vectors, k, masks)
        out = []
        for by_words, by_vector in zip(words, near, strict=True):
            lists = [Ranked("words", *by_words, 1 - alpha), Ranked("dense", *by_vector, alpha)]
            best = fuse(lists, fusion)[:k]
            places = np.array([place for place, _, _ in best], dtype=np.int64)
            out.append((places, np.array([score for _, score, _ in best], dtype=np.float64)))
        return out


def nearest(
    vectors: NDArray[Any], query: NDArray[Any], k: int, mask: NDArray[Any] | None = None
) -> Found:
    """Places and cosines of the `k` nearest rows (of those in `mask`), best first; exact."""
    scores = vectors @ np.asarray(query, dtype=np.float32)
    places = np.arange(len(scores)) if mask is None else np.flatnonzero(mask)
    if len(places) > k:
        cut = np.partition(scores[places], -k)[-k]
        places = places[scores[places] >= cut]
    order = np.lexsort((places, -scores[places]))[:k]
    return places[order], scores[places[order]]
