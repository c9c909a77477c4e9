"""Search each query with each retriever that has a weight: one list for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kofinlaw.rag.arrays import Found, Vectors
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.base import Store
from kofinlaw.rag.index.stores.factory import open_store
from kofinlaw.rag.retrieve.case_votes import vote
from kofinlaw.rag.retrieve.query_forms import Query
from kofinlaw.rag.retrieve.ranking import retriever_weights
from kofinlaw.rag.retrieve.scope import Scope
from kofinlaw.rag.settings import RagSettings

if TYPE_CHECKING:
    from kofinlaw.models.embedders import CachedEmbedder

__all__ = ["Backends", "ScopedQuery", "search_lists"]


@dataclass(frozen=True)
class ScopedQuery:
    """A query, the position of its question in the batch, and what that question may find."""

    position: int
    query: Query
    scope: Scope


class Backends:
    """The store and the embedder of an index, opened when they are first used."""

    def __init__(self, index: Index, settings: RagSettings, cache: Path | None) -> None:
        self._index = index
        self._settings = settings
        self._cache = cache
        self._queries: dict[str, Vectors] = {}

    @cached_property
    def store(self) -> Store:
        """The store that searches the index."""
        return open_store(self._index, self._settings)

    @cached_property
    def embedder(self) -> CachedEmbedder:
        """The embedder that the settings name."""
        from kofinlaw.models.embedders import open_embedder

        assert self._settings.embedder is not None
        return open_embedder(self._settings.embedder, cache=self._cache)

    def query_vectors(self, queries: Sequence[str]) -> Vectors:
        """Return vectors [queries, dimensions]; those of the last queries are kept."""
        new = [query for query in dict.fromkeys(queries) if query not in self._queries]
        if new:
            if len(self._queries) > _KEPT_QUERIES:
                self._queries.clear()
                new = list(dict.fromkeys(queries))
            made = self.embedder.encode_queries(new)
            self._queries |= dict(zip(new, made, strict=True))
        return np.stack([self._queries[query] for query in queries])


_KEPT_QUERIES = 2048


def search_lists(
    asked: Sequence[ScopedQuery], index: Index, settings: RagSettings, backends: Backends
) -> Iterator[tuple[str, float, Sequence[Found]]]:
    """Yield (name, weight, one list for each query) of each retriever that has a weight.

    The names are `hybrid` (where a server fuses words and vectors), else `kiwi`, `bigram` and
    `dense`; and `cases` for the articles that court decisions vote for.
    """
    store, weights = backends.store, retriever_weights(settings)
    queries = [one.query.text for one in asked]
    shown = [one.scope.passages for one in asked]
    kinds = [kind for kind in settings.lexical_kinds if weights[kind]]
    if store.fuses and weights["dense"] and len(kinds) == 1:
        lists = store.hybrid(
            kinds[0],
            queries,
            backends.query_vectors(queries),
            settings.pool,
            alpha=settings.alpha,
            fusion=settings.fusion,
            allowed=shown,
        )
        yield "hybrid", weights[kinds[0]] + weights["dense"], lists
    else:
        for kind in kinds:
            yield kind, weights[kind], store.lexical(kind, queries, settings.pool, shown)
        if weights["dense"]:
            vectors = backends.query_vectors(queries)
            yield "dense", weights["dense"], store.dense(vectors, settings.pool, shown)
    if weights["cases"]:
        voters = [one.scope.decisions for one in asked]
        similar = store.lexical(settings.lexical_kinds[0], queries, settings.case_pool, voters)
        votes = [vote(*one, index.cited, settings.pool) for one in similar]
        yield "cases", weights["cases"], votes
