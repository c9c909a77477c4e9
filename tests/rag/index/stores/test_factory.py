"""What all stores have in common. A real Weaviate server is tested where WEAVIATE_URL names one."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import PicoEmbedder, settings, write_chunks

from kofinlaw.rag.fusion import Ranked, fuse
from kofinlaw.rag.index.admission import EVERYTHING
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.base import Store
from kofinlaw.rag.index.stores.factory import open_store

QUERIES = ["접근매체를 빌려줄 수 있는가", "유출을 알려야 하는 시간", "동의를 받은 경우"]


@pytest.fixture(params=["local", "stand-in", "weaviate whitespace", "weaviate kagome_kr"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    name, _, tokenization = request.param.partition(" ")
    if name != "local" and not find_spec("weaviate"):
        pytest.skip("the extra weaviate is not installed")
    if name == "weaviate" and not os.environ.get("WEAVIATE_URL"):
        pytest.skip("no Weaviate server: WEAVIATE_URL is not set")
    monkeypatch.setattr("kofinlaw.models.embedders.open_embedder", lambda *_, **__: PicoEmbedder())
    with contextlib.ExitStack() as stack:
        server: dict[str, Any] = {"tokenization": tokenization} if tokenization else {}
        if name == "stand-in":
            sys.path.append(str(Path(__file__).parents[4]))
            from checks.weaviate_stand_in import StandIn

            one = stack.enter_context(StandIn())
            server = {"url": one.url, "grpc_port": one.grpc_port}
        kind = "local" if name == "local" else "weaviate"
        recipe = settings(embedder="pico", store=kind, weaviate=server)
        build_index(write_chunks(tmp_path), tmp_path / "index", recipe)
        yield open_store(Index.load(tmp_path / "index"), recipe)


def listed(found: tuple[Any, Any]) -> list[int]:
    return [int(row) for row in found[0]]


@pytest.mark.parametrize("fusion", ["relative_score", "ranked"])
@pytest.mark.parametrize("alpha", [0.0, 0.35, 0.7, 1.0])
def test_hybrid_is_the_fusion_of_both_lists_with_alpha_as_the_vectors_share(
    store: Store, alpha: float, fusion: Any
) -> None:
    vectors = PicoEmbedder().encode_queries(QUERIES)
    free = [EVERYTHING] * 3
    words = store.lexical("bigram", QUERIES, 5, free)
    near = store.dense(vectors, 5, free)
    made = store.hybrid("bigram", QUERIES, vectors, 5, alpha=alpha, fusion=fusion, allowed=free)
    for by_words, by_vector, both in zip(words, near, made, strict=True):
        lists = [Ranked("words", *by_words, 1 - alpha), Ranked("dense", *by_vector, alpha)]
        assert listed(both) == [row for row, _, _ in fuse(lists, fusion)][:5]


def test_only_allowed_passages_come_back_and_as_many_as_asked(store: Store) -> None:
    mask = np.array([False, True, False, True, True])
    allowed = [EVERYTHING.limited(mask)] * 3
    vectors = PicoEmbedder().encode_queries(QUERIES)
    for found in store.dense(vectors, 2, allowed):
        assert len(found[0]) == 2
        assert set(listed(found)) <= {1, 3, 4}
    for found in store.lexical("bigram", QUERIES, 2, allowed):
        assert set(listed(found)) <= {1, 3, 4}
