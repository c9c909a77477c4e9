"""The Weaviate store, with a simulated server."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from corpora import settings, write_chunks

from kofinlaw import UserError
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.weaviate import MAX_RESULTS, allowed_results
from kofinlaw.rag.settings import RagSettings


def listed(found: tuple[Any, Any]) -> list[int]:
    return [int(row) for row in found[0]]


def test_a_server_is_asked_for_more_until_enough_passages_pass_the_mask() -> None:
    asked: list[int] = []

    def ask(limit: int) -> Any:
        asked.append(limit)
        scores = [SimpleNamespace(properties={"place": p}, score=1000 - p) for p in range(100)]
        return SimpleNamespace(objects=scores[:limit])

    mask = np.arange(100) >= 30
    rows, scores = allowed_results(ask, lambda one: one.score, 3, mask)
    assert (rows.tolist(), scores.tolist()) == ([30, 31, 32], [970, 969, 968])
    assert asked == [6, 24, 96]
    assert listed(allowed_results(ask, lambda one: one.score, 3, np.zeros(100, bool))) == []
    assert max(asked) <= MAX_RESULTS


def test_equal_scores_from_a_server_are_put_in_the_order_of_the_corpus() -> None:
    objects = [SimpleNamespace(properties={"place": p}) for p in (4, 1, 3)]
    found = allowed_results(
        lambda limit: SimpleNamespace(objects=objects), lambda one: 1.0, 2, None
    )
    assert listed(found) == [1, 3]


def test_a_server_that_is_not_named_and_two_lexical_indices_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEAVIATE_URL", raising=False)
    with pytest.raises(UserError, match="no Weaviate server is named"):
        build_index(write_chunks(tmp_path), tmp_path / "index", settings(store="weaviate"))
    with pytest.raises(UserError, match="no complete index"):
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
