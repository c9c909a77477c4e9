"""Where passages are searched: files in the index folder, or a Weaviate server.

Both take an index's own tokens and vectors and give places with scores; both speak of `alpha` (the
vectors' share) and of fusion in the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.settings import Fusion, RagSettings

# Places (int64) and scores (float), best first, ties by place.
Found = tuple["NDArray[Any]", "NDArray[Any]"]


class Store(Protocol):
    """Searches the passages of one index. `fuses` says that `hybrid` is one call, not two."""

    fuses: bool

    def lexical(
        self, kind: str, queries: Sequence[str], k: int, masks: Sequence[NDArray[Any] | None]
    ) -> list[Found]:
        """The best `k` passages that share words with each query, by BM25."""
        ...

    def dense(
        self, vectors: NDArray[Any], k: int, masks: Sequence[NDArray[Any] | None]
    ) -> list[Found]:
        """The `k` passages nearest to each query vector, by cosine."""
        ...

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
        """Words and vectors fused: `alpha` is the vectors' share."""
        ...


def open_store(index: Index, settings: RagSettings) -> Store:
    """The store that the settings name.

    Raises UserError where a server is asked for and cannot be used.
    """
    if settings.store == "weaviate":
        from kofinlaw.rag.index.stores.weaviate import WeaviateStore

        return WeaviateStore.connect(index, settings)
    from kofinlaw.rag.index.stores.local import LocalStore

    return LocalStore(index, settings.workers)
