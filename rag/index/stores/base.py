"""Define the interface of every store: lexical, dense and hybrid search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kofinlaw.rag.arrays import Found, Vectors
from kofinlaw.rag.index.admission import Admission
from kofinlaw.rag.settings import Fusion

__all__ = ["Store"]


class Store(Protocol):
    """Searches the passages of one index.

    `fuses` is True where `hybrid` is one call to a server, and False where it is two searches that
    are fused here. Every method takes for each query which passages it may find, and returns one
    result for each query.
    """

    fuses: bool

    def lexical(
        self, kind: str, queries: Sequence[str], k: int, allowed: Sequence[Admission]
    ) -> list[Found]:
        """Return the best `k` passages that share words with each query, by BM25.

        `kind` names the tokens: `kiwi` or `bigram`.
        """
        ...

    def dense(self, vectors: Vectors, k: int, allowed: Sequence[Admission]) -> list[Found]:
        """Return the `k` passages nearest to each query vector, by cosine."""
        ...

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
        ...
