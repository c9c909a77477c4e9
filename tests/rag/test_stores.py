"""What every store does alike; the Weaviate one is tried where WEAVIATE_URL names a server."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from corpora import PicoEmbedder, settings, write_chunks

from kofinlaw import UserError
from kofinlaw.rag.fusion import Ranked, fuse
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores import Store, open_store
from kofinlaw.rag.index.stores.weaviate import MOST, enough
from kofinlaw.rag.settings import RagSettings, WeaviateSettings

QUERIES = ["접근매체를 빌려줄 수 있는가", "유출을 알려야 하는 시간", "동의를 받은 경우"]


@pytest.fixture(params=["local", "weaviate kagome_kr", "weaviate whitespace"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    name, _, tokenization = request.param.partition(" ")
    if name == "weaviate" and not (os.environ.get("WEAVIATE_URL") and find_spec("weaviate")):
        pytest.skip("no Weaviate server: WEAVIATE_URL is not set, or the extra not installed")
    monkeypatch.setattr("kofinlaw.models.embedders.open_embedder", lambda *_, **__: PicoEmbedder())
    server = WeaviateSettings(tokenization=tokenization) if tokenization else WeaviateSettings()
    recipe = settings(embedder="pico", store=name, weaviate=server)
    build_index(write_chunks(tmp_path), tmp_path / "index", recipe)
    return open_store(Index.load(tmp_path / "index"), recipe)


def listed(found: tuple[Any, Any]) -> list[int]:
    return [int(place) for place in found[0]]


@pytest.mark.parametrize("fusion", ["relative_score", "ranked"])
@pytest.mark.parametrize("alpha", [0.0, 0.35, 0.7, 1.0])
def test_hybrid_is_the_fusion_of_both_lists_with_alpha_as_the_vectors_share(
    store: Store, alpha: float, fusion: Any
) -> None:
    vectors = PicoEmbedder().encode_queries(QUERIES)
    free: list[Any] = [None] * 3
    words = store.lexical("bigram", QUERIES, 5, free)
    near = store.dense(vectors, 5, free)
    made = store.hybrid("bigram", QUERIES, vectors, 5, alpha=alpha, fusion=fusion, masks=free)
    for by_words, by_vector, both in zip(words, near, made, strict=True):
        lists = [Ranked("words", *by_words, 1 - alpha), Ranked("dense", *by_vector, alpha)]
        assert listed(both) == [place for place, _, _ in fuse(lists, fusion)][:5]


def test_only_allowed_passages_come_back_and_as_many_as_asked(store: Store) -> None:
    mask = np.array([False, True, False, True, True])
    vectors = PicoEmbedder().encode_queries(QUERIES)
    for found in store.dense(vectors, 2, [mask] * 3):
        assert len(found[0]) == 2
        assert set(listed(found)) <= {1, 3, 4}
    for found in store.lexical("bigram", QUERIES, 2, [mask] * 3):
        assert set(listed(found)) <= {1, 3, 4}


def test_a_server_is_asked_for_more_until_enough_passages_pass_the_mask() -> None:
    asked: list[int] = []

    def ask(limit: int) -> Any:
        asked.append(limit)
        scores = [SimpleNamespace(properties={"place": p}, score=1000 - p) for p in range(100)]
        return SimpleNamespace(objects=scores[:limit])

    mask = np.arange(100) >= 30
    places, scores = enough(ask, lambda one: one.score, 3, mask)
    assert (places.tolist(), scores.tolist()) == ([30, 31, 32], [970, 969, 968])
    assert asked == [6, 24, 96]
    assert listed(enough(ask, lambda one: one.score, 3, np.zeros(100, bool))) == []
    assert max(asked) <= MOST


def test_equal_scores_from_a_server_are_put_in_the_order_of_the_corpus() -> None:
    objects = [SimpleNamespace(properties={"place": p}) for p in (4, 1, 3)]
    found = enough(lambda limit: SimpleNamespace(objects=objects), lambda one: 1.0, 2, None)
    assert listed(found) == [1, 3]


def test_a_server_that_is_not_named_and_two_lexical_indices_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEAVIATE_URL", raising=False)
    with pytest.raises(UserError, match="no Weaviate server is named"):
        build_index(write_chunks(tmp_path), tmp_path / "index", settings(store="weaviate"))
    with pytest.raises(UserError, match="no finished index"):
        Index.load(tmp_path / "index")
    with pytest.raises(ValueError, match="one lexical index"):
        RagSettings(store="weaviate", lexical="both")


@pytest.mark.skipif(find_spec("weaviate") is None, reason="the extra weaviate is not installed")
def test_the_client_takes_the_arguments_we_give() -> None:
    import inspect

    from weaviate.classes.config import Configure, Tokenization
    from weaviate.collections.queries.hybrid.query.sync import _HybridQuery
    from weaviate.collections.queries.near_vector.query.sync import _NearVectorQuery

    assert Tokenization.KAGOME_KR == "kagome_kr"
    assert hasattr(Configure.Vectors, "self_provided")
    hybrid = {"query", "vector", "alpha", "fusion_type", "query_properties", "limit"}
    assert hybrid <= set(inspect.signature(_HybridQuery.hybrid).parameters)
    assert "near_vector" in inspect.signature(_NearVectorQuery.near_vector).parameters
