"""The store on a Weaviate server, for those who outgrow one machine. Unverified: the code follows
weaviate-client 4's interface, but has not met a server yet (its tests run where WEAVIATE_URL is
set).

Passages, citations and dates stay in the index folder; the server holds text, tokens and vectors,
and searches. One collection an index (its name ends in the index's fingerprint), so queries see the
old one until the new one is full.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from kofinlaw import UserError
from kofinlaw.rag.index.blocks import tokens_of
from kofinlaw.rag.index.stores import Found

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.settings import Fusion, RagSettings, WeaviateSettings

MOST = 10_000  # results the server gives in one answer (its QUERY_MAXIMUM_RESULTS)


class WeaviateStore:
    """Searches one collection. `hybrid` is fused by the server: one call a query."""

    fuses = True

    def __init__(self, client: Any, collection: Any, settings: RagSettings) -> None:
        self._client = client
        self._collection = collection
        self._settings = settings

    @classmethod
    def connect(cls, index: Index, settings: RagSettings) -> WeaviateStore:
        """Open the collection of this index.

        Raises UserError where the client is not installed, the server does not answer, or the
        collection is missing or not full.
        """
        client = open_client(settings.weaviate)
        name = collection_name(index, settings.weaviate)
        wanted = index.meta["chunks"]
        held = count(client, name)
        if held != wanted:
            client.close()
            raise UserError(
                f"the server holds {held} of {wanted} passages of this index in {name}",
                where=server(settings.weaviate),
                remedy="kofinlaw index RECIPE imports them (an unfinished import goes on)",
            )
        return cls(client, client.collections.get(name), settings)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def lexical(
        self, kind: str, queries: Sequence[str], k: int, masks: Sequence[NDArray[Any] | None]
    ) -> list[Found]:
        """The best `k` passages for each query by the server's BM25F."""
        from weaviate.classes.query import MetadataQuery

        searched = property_of(kind, self._settings.weaviate)
        out = []
        for text, mask in zip(self._words(kind, queries), masks, strict=True):

            def ask(limit: int, text: str = text) -> Any:
                return self._collection.query.bm25(
                    query=text,
                    query_properties=[searched],
                    limit=limit,
                    return_properties=["place"],
                    return_metadata=MetadataQuery(score=True),
                )

            out.append(enough(ask, lambda o: o.metadata.score, k, mask))
        return out

    def dense(
        self, vectors: NDArray[Any], k: int, masks: Sequence[NDArray[Any] | None]
    ) -> list[Found]:
        """The `k` passages nearest to each vector, by cosine (approximate: the server's HNSW)."""
        from weaviate.classes.query import MetadataQuery

        out = []
        for vector, mask in zip(vectors, masks, strict=True):

            def ask(limit: int, vector: Any = vector) -> Any:
                return self._collection.query.near_vector(
                    near_vector=vector.tolist(),
                    limit=limit,
                    return_properties=["place"],
                    return_metadata=MetadataQuery(distance=True),
                )

            out.append(enough(ask, lambda o: 1 - o.metadata.distance, k, mask))
        return out

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
        """Words and vectors fused by the server: `alpha` is the vectors' share."""
        from weaviate.classes.query import HybridFusion, MetadataQuery

        searched = property_of(kind, self._settings.weaviate)
        ways = {"relative_score": HybridFusion.RELATIVE_SCORE, "ranked": HybridFusion.RANKED}
        out = []
        texts = self._words(kind, queries)
        for text, vector, mask in zip(texts, vectors, masks, strict=True):

            def ask(limit: int, text: str = text, vector: Any = vector) -> Any:
                return self._collection.query.hybrid(
                    query=text,
                    vector=vector.tolist(),
                    alpha=alpha,
                    fusion_type=ways[fusion],
                    query_properties=[searched],
                    limit=limit,
                    return_properties=["place"],
                    return_metadata=MetadataQuery(score=True),
                )

            out.append(enough(ask, lambda o: o.metadata.score, k, mask))
        return out

    def _words(self, kind: str, queries: Sequence[str]) -> list[str]:
        """What the server is asked: the text itself where it cuts Korean, else our tokens."""
        if self._settings.weaviate.tokenization == "kagome_kr":
            return list(queries)
        return [" ".join(words) for words in tokens_of(kind, queries)]


def enough(
    ask: Callable[[int], Any],
    score: Callable[[Any], float],
    k: int,
    mask: NDArray[Any] | None,
) -> Found:
    """The best `k` results that `mask` lets through, best first, ties by place.

    The server does not know the mask: it is asked for more until enough pass or it has no more.
    """
    limit = min(k if mask is None else 2 * k, MOST)
    while True:
        objects = ask(limit).objects
        found = [
            (int(one.properties["place"]), float(score(one)))
            for one in objects
            if mask is None or mask[int(one.properties["place"])]
        ]
        if len(found) >= k or len(objects) < limit or limit >= MOST:
            break
        limit = min(4 * limit, MOST)
    best = sorted(found, key=lambda row: (-row[1], row[0]))[:k]
    return (
        np.array([place for place, _ in best], dtype=np.int64),
        np.array([value for _, value in best], dtype=np.float64),
    )


def property_of(kind: str, settings: WeaviateSettings) -> str:
    """The property searched by words: the text, or the tokens made here."""
    return "text" if settings.tokenization == "kagome_kr" else f"tokens_{kind}"


def collection_name(index: Index, settings: WeaviateSettings) -> str:
    """The collection of an index: equal content and tokenisation, equal name."""
    return f"{settings.collection}_{settings.tokenization}_{index.fingerprint[:12]}"


def count(client: Any, name: str) -> int:
    """Passages in a collection; 0 where there is none."""
    if not client.collections.exists(name):
        return 0
    total = client.collections.get(name).aggregate.over_all(total_count=True).total_count
    return int(total or 0)


def server(settings: WeaviateSettings) -> str:
    """The server's address. Raises UserError where none is set."""
    url = settings.url or os.environ.get("WEAVIATE_URL", "")
    if not url:
        raise UserError(
            "no Weaviate server is named",
            where="rag.weaviate.url",
            remedy="docker compose up -d, then set WEAVIATE_URL=http://localhost:8080",
        )
    return url


def open_client(settings: WeaviateSettings) -> Any:
    """A connected client; `WEAVIATE_API_KEY` is used where it is set.

    Raises UserError where the extra is missing or the server does not answer.
    """
    url = server(settings)
    if find_spec("weaviate") is None:
        raise UserError(
            "the Weaviate client is not installed", remedy="pip install 'kofinlaw[weaviate]'"
        )
    import weaviate
    from weaviate.classes.init import Auth

    parts = urlsplit(url if "//" in url else f"http://{url}")
    secure = parts.scheme == "https"
    key = os.environ.get("WEAVIATE_API_KEY")
    with _told(url):
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
def _told(url: str) -> Iterator[None]:
    from weaviate.exceptions import WeaviateBaseError

    try:
        yield
    except WeaviateBaseError as error:
        raise UserError(
            f"the Weaviate server does not answer ({str(error).splitlines()[0]})",
            where=url,
            remedy="docker compose up -d starts one; rag.store: local needs none",
        ) from error
