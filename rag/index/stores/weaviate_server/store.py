"""Search a Weaviate server, for corpora too large for one machine.

Passages, citations and dates stay in the index folder. The server holds text, tokens, vectors and
the properties that masks come from, and searches. Each index has its own collection, named by the
index's fingerprint, so queries see the old collection until the new one is full.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from kofinlaw import UserError
from kofinlaw.commands import stage_command
from kofinlaw.rag.arrays import Found, Vectors
from kofinlaw.rag.fusion import fuse_both
from kofinlaw.rag.index.admission import Admission
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.weaviate_server.connection import Server
from kofinlaw.rag.index.stores.weaviate_server.filters import filter_of
from kofinlaw.rag.index.stores.weaviate_server.layout import (
    ROW,
    collection_name,
    count_passages,
    searched_property,
)
from kofinlaw.rag.index.stores.weaviate_server.results import allowed_results
from kofinlaw.rag.index.tokens import tokens_of
from kofinlaw.rag.search_limits import current_limits
from kofinlaw.rag.settings import Fusion, RagSettings

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient

__all__ = ["WeaviateStore"]

# Searches one collection with a limit and a filter, and returns rows with scores.
_Search = Callable[[Any, int, Any], Awaitable[list[tuple[int, float]]]]


class WeaviateStore:
    """Searches one collection; the queries of a batch are sent at the same time.

    The server fuses `hybrid` itself where the conditions of a query say all that is allowed.
    """

    fuses = True

    def __init__(self, server: Server, collection: str, settings: RagSettings) -> None:
        self._server = server
        self._collection = collection
        self._settings = settings

    @classmethod
    def connect(cls, index: Index, settings: RagSettings) -> WeaviateStore:
        """Open the collection of this index.

        Raises UserError where the client is not installed, the server does not answer, or the
        collection is missing or incomplete.
        """
        server = Server(settings.weaviate)
        name = collection_name(index, settings.weaviate)
        wanted = index.meta["chunks"]
        held = server.call(lambda client: count_passages(client, name), _seconds(settings))
        if held != wanted:
            raise UserError(
                f"the server holds {held} of {wanted} passages of this index in {name}",
                where=server.url,
                remedy=f"import them with `{stage_command('index', index.folder.parent)}`; "
                "an unfinished import is continued",
            )
        return cls(server, name, settings)

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def lexical(
        self, kind: str, queries: Sequence[str], k: int, allowed: Sequence[Admission]
    ) -> list[Found]:
        """Return the best `k` passages for each query by the server's BM25F."""
        texts = self._query_texts(kind, queries)
        return self._all([self._words(kind, text) for text in texts], k, allowed)

    def dense(self, vectors: Vectors, k: int, allowed: Sequence[Admission]) -> list[Found]:
        """Return the `k` passages nearest to each vector, by cosine (approximate:
        the server's HNSW).
        """
        return self._all([_nearest(vector) for vector in vectors], k, allowed)

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
        """Search words and vectors; `alpha` is the share of the vectors.

        A query with a mask beyond its conditions is searched twice and fused here: its lists would
        otherwise be fused before the mask.
        """
        texts = self._query_texts(kind, queries)
        out: list[Found | None] = [None] * len(texts)
        whole = [at for at, one in enumerate(allowed) if one.rest is None]
        searches = [self._fused(kind, texts[at], vectors[at], alpha, fusion) for at in whole]
        found = self._all(searches, k, [allowed[at] for at in whole])
        for at, one in zip(whole, found, strict=True):
            out[at] = one
        masked = [at for at, one in enumerate(allowed) if one.rest is not None]
        both = [self._words(kind, texts[at]) for at in masked]
        both += [_nearest(vectors[at]) for at in masked]
        lists = self._all(both, k, [allowed[at] for at in masked] * 2)
        for place, at in enumerate(masked):
            by_words, by_vector = lists[place], lists[place + len(masked)]
            out[at] = fuse_both(by_words, by_vector, k, alpha, fusion)
        return [one for one in out if one is not None]

    def _all(
        self, searches: Sequence[_Search], k: int, allowed: Sequence[Admission]
    ) -> list[Found]:
        """Carry out each search for the passages that its admission lets through."""
        name = self._collection

        def call(search: _Search, one: Admission) -> Callable[[Any], Awaitable[Found]]:
            async def make(client: WeaviateAsyncClient) -> Found:
                query = client.collections.get(name).query

                async def ask(limit: int, rows: Sequence[int] | None) -> list[tuple[int, float]]:
                    return await search(query, limit, filter_of(one.conditions, rows))

                return await allowed_results(ask, k, one)

            return make

        if not searches:
            return []
        calls = [call(search, one) for search, one in zip(searches, allowed, strict=True)]
        limits = current_limits()
        left = float("inf") if limits is None else limits.seconds_left()
        return self._server.call_all(calls, max(0.0, left))

    def _words(self, kind: str, text: str) -> _Search:
        searched = searched_property(kind, self._settings.weaviate)

        async def search(query: Any, limit: int, filters: Any) -> list[tuple[int, float]]:
            from weaviate.classes.query import MetadataQuery

            if not text.strip():
                return []  # the server refuses a query without words
            found = await query.bm25(
                query=text,
                query_properties=[searched],
                limit=limit,
                filters=filters,
                return_properties=[ROW],
                return_metadata=MetadataQuery(score=True),
            )
            return _scored(found)

        return search

    def _fused(
        self, kind: str, text: str, vector: Vectors, alpha: float, fusion: Fusion
    ) -> _Search:
        searched = searched_property(kind, self._settings.weaviate)

        async def search(query: Any, limit: int, filters: Any) -> list[tuple[int, float]]:
            from weaviate.classes.query import HybridFusion, MetadataQuery

            methods = {"relative_score": HybridFusion.RELATIVE_SCORE, "ranked": HybridFusion.RANKED}
            found = await query.hybrid(
                query=text,
                vector=vector.tolist(),
                alpha=alpha,
                fusion_type=methods[fusion],
                query_properties=[searched],
                limit=limit,
                filters=filters,
                return_properties=[ROW],
                return_metadata=MetadataQuery(score=True),
            )
            return _scored(found)

        return search

    def _query_texts(self, kind: str, queries: Sequence[str]) -> list[str]:
        """Return the text itself where the server cuts Korean, else the tokens made here."""
        if self._settings.weaviate.tokenization == "kagome_kr":
            return list(queries)
        return [" ".join(words) for words in tokens_of(kind, queries)]


def _scored(found: Any) -> list[tuple[int, float]]:
    """Return rows and scores of the server's answer."""
    return [(int(one.properties[ROW]), one.metadata.score) for one in found.objects]


def _nearest(vector: Vectors) -> _Search:
    async def search(query: Any, limit: int, filters: Any) -> list[tuple[int, float]]:
        from weaviate.classes.query import MetadataQuery

        found = await query.near_vector(
            near_vector=vector.tolist(),
            limit=limit,
            filters=filters,
            return_properties=[ROW],
            return_metadata=MetadataQuery(distance=True),
        )
        return [(int(one.properties[ROW]), 1 - one.metadata.distance) for one in found.objects]

    return search


def _seconds(settings: RagSettings) -> float:
    """Return how long one call may take: `call_seconds`, or what answering has left."""
    limits = current_limits()
    longest = settings.weaviate.call_seconds
    return longest if limits is None else max(0.0, min(longest, limits.seconds_left()))
