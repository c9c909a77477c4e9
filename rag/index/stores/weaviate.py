"""Search a Weaviate server, for corpora too large for one machine. Not yet run against a server.

The code follows the interface of weaviate-client 4; its tests run where WEAVIATE_URL is set.
Passages, citations and dates stay in the index folder. The server holds text, tokens and vectors,
and searches. Each index has its own collection, named by the index's fingerprint, so queries see
the old collection until the new one is full.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from kofinlaw import UserError
from kofinlaw.commands import stage_command
from kofinlaw.rag.arrays import Found, Mask, Vectors
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.tokens import tokens_of
from kofinlaw.rag.settings import Fusion, RagSettings, WeaviateSettings

if TYPE_CHECKING:
    from weaviate import WeaviateClient
    from weaviate.collections import Collection
    from weaviate.collections.classes.internal import Object, QueryReturn

__all__ = [
    "MAX_RESULTS",
    "ROW",
    "WeaviateStore",
    "allowed_results",
    "collection_name",
    "count_passages",
    "open_client",
    "searched_property",
    "server_url",
]

MAX_RESULTS = 10_000  # results in one answer of the server (its QUERY_MAXIMUM_RESULTS)
ROW = "place"  # the property with a passage's row


class WeaviateStore:
    """Searches one collection. The server fuses `hybrid` itself: one call for each query."""

    fuses = True

    def __init__(
        self, client: WeaviateClient, collection: Collection, settings: RagSettings
    ) -> None:
        self._client = client
        self._collection = collection
        self._settings = settings

    @classmethod
    def connect(cls, index: Index, settings: RagSettings) -> WeaviateStore:
        """Open the collection of this index.

        Raises UserError where the client is not installed, the server does not answer, or the
        collection is missing or incomplete.
        """
        client = open_client(settings.weaviate)
        name = collection_name(index, settings.weaviate)
        wanted = index.meta["chunks"]
        held = count_passages(client, name)
        if held != wanted:
            client.close()
            raise UserError(
                f"the server holds {held} of {wanted} passages of this index in {name}",
                where=server_url(settings.weaviate),
                remedy=f"import them with `{stage_command('index', index.folder.parent)}`; "
                "an unfinished import is continued",
            )
        return cls(client, client.collections.get(name), settings)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def lexical(
        self, kind: str, queries: Sequence[str], k: int, masks: Sequence[Mask | None]
    ) -> list[Found]:
        """Return the best `k` passages for each query by the server's BM25F."""
        from weaviate.classes.query import MetadataQuery

        searched = searched_property(kind, self._settings.weaviate)
        out = []
        for text, mask in zip(self._query_texts(kind, queries), masks, strict=True):

            def query(limit: int, text: str = text) -> QueryReturn:
                return self._collection.query.bm25(
                    query=text,
                    query_properties=[searched],
                    limit=limit,
                    return_properties=[ROW],
                    return_metadata=MetadataQuery(score=True),
                )

            out.append(allowed_results(query, lambda found: found.metadata.score, k, mask))
        return out

    def dense(self, vectors: Vectors, k: int, masks: Sequence[Mask | None]) -> list[Found]:
        """Return the `k` passages nearest to each vector, by cosine (approximate:
        the server's HNSW).
        """
        from weaviate.classes.query import MetadataQuery

        out = []
        for vector, mask in zip(vectors, masks, strict=True):

            def query(limit: int, vector: Vectors = vector) -> QueryReturn:
                return self._collection.query.near_vector(
                    near_vector=vector.tolist(),
                    limit=limit,
                    return_properties=[ROW],
                    return_metadata=MetadataQuery(distance=True),
                )

            out.append(allowed_results(query, lambda found: 1 - found.metadata.distance, k, mask))
        return out

    def hybrid(
        self,
        kind: str,
        queries: Sequence[str],
        vectors: Vectors,
        k: int,
        *,
        alpha: float,
        fusion: Fusion,
        masks: Sequence[Mask | None],
    ) -> list[Found]:
        """Search words and vectors, fused by the server; `alpha` is the share of the vectors."""
        from weaviate.classes.query import HybridFusion, MetadataQuery

        searched = searched_property(kind, self._settings.weaviate)
        methods = {"relative_score": HybridFusion.RELATIVE_SCORE, "ranked": HybridFusion.RANKED}
        out = []
        texts = self._query_texts(kind, queries)
        for text, vector, mask in zip(texts, vectors, masks, strict=True):

            def query(limit: int, text: str = text, vector: Vectors = vector) -> QueryReturn:
                return self._collection.query.hybrid(
                    query=text,
                    vector=vector.tolist(),
                    alpha=alpha,
                    fusion_type=methods[fusion],
                    query_properties=[searched],
                    limit=limit,
                    return_properties=[ROW],
                    return_metadata=MetadataQuery(score=True),
                )

            out.append(allowed_results(query, lambda found: found.metadata.score, k, mask))
        return out

    def _query_texts(self, kind: str, queries: Sequence[str]) -> list[str]:
        """Return the text itself where the server cuts Korean, else the tokens made here."""
        if self._settings.weaviate.tokenization == "kagome_kr":
            return list(queries)
        return [" ".join(words) for words in tokens_of(kind, queries)]


def allowed_results(
    query: Callable[[int], QueryReturn],
    score: Callable[[Object], float],
    k: int,
    mask: Mask | None,
) -> Found:
    """Return the best `k` results that `mask` lets through, best first, ties by row.

    The server does not know the mask, so `query` is called with a larger limit until enough results
    pass or the server has no more.
    """
    limit = min(k if mask is None else 2 * k, MAX_RESULTS)
    while True:
        objects = query(limit).objects
        found = [
            (int(one.properties[ROW]), float(score(one)))
            for one in objects
            if mask is None or mask[int(one.properties[ROW])]
        ]
        if len(found) >= k or len(objects) < limit or limit >= MAX_RESULTS:
            break
        limit = min(4 * limit, MAX_RESULTS)
    best = sorted(found, key=lambda result: (-result[1], result[0]))[:k]
    return (
        np.array([row for row, _ in best], dtype=np.int64),
        np.array([value for _, value in best], dtype=np.float64),
    )


def searched_property(kind: str, settings: WeaviateSettings) -> str:
    """Return the property that word queries search: the text, or the tokens made here."""
    return "text" if settings.tokenization == "kagome_kr" else f"tokens_{kind}"


def collection_name(index: Index, settings: WeaviateSettings) -> str:
    """Return the collection of an index: the same content and tokenization give the same name."""
    return f"{settings.collection}_{settings.tokenization}_{index.fingerprint[:12]}"


def count_passages(client: WeaviateClient, name: str) -> int:
    """Return the number of passages in a collection; 0 where it does not exist."""
    if not client.collections.exists(name):
        return 0
    total = client.collections.get(name).aggregate.over_all(total_count=True).total_count
    return int(total or 0)


def server_url(settings: WeaviateSettings) -> str:
    """Return the server's address. Raises UserError where none is set."""
    url = settings.url or os.environ.get("WEAVIATE_URL", "")
    if not url:
        raise UserError(
            "no Weaviate server is named",
            where="rag.weaviate.url",
            remedy="docker compose up -d, then set WEAVIATE_URL=http://localhost:8080",
        )
    return url


def open_client(settings: WeaviateSettings) -> WeaviateClient:
    """Return a connected client; `WEAVIATE_API_KEY` is used where it is set.

    Raises UserError where the extra is missing or the server does not answer.
    """
    url = server_url(settings)
    if find_spec("weaviate") is None:
        raise UserError(
            "the Weaviate client is not installed", remedy="pip install 'kofinlaw[weaviate]'"
        )
    import weaviate
    from weaviate.classes.init import Auth

    parts = urlsplit(url if "//" in url else f"http://{url}")
    secure = parts.scheme == "https"
    key = os.environ.get("WEAVIATE_API_KEY")
    with _connection_errors(url):
        return weaviate.connect_to_custom(
            http_host=parts.hostname or "localhost",
            http_port=parts.port or (443 if secure else 8080),
            http_secure=secure,
            grpc_host=parts.hostname or "localhost",
            grpc_port=settings.grpc_port,
            grpc_secure=secure,
            auth_credentials=Auth.api_key(key) if key else None,
        )


@contextmanager
def _connection_errors(url: str) -> Iterator[None]:
    """Raise the client's errors as UserError."""
    from weaviate.exceptions import WeaviateBaseError

    try:
        yield
    except WeaviateBaseError as error:
        raise UserError(
            f"the Weaviate server does not answer ({str(error).splitlines()[0]})",
            where=url,
            remedy="docker compose up -d starts one; rag.store: local needs none",
        ) from error
