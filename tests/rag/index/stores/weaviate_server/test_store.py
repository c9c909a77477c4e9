"""What a search on the server finds, and how a batch of questions is sent."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw.data.korean.lexical import K1, LexicalIndex
from kofinlaw.rag.index.admission import EVERYTHING
from kofinlaw.rag.index.stores.local import LocalStore
from kofinlaw.rag.index.stores.weaviate_server.store import WeaviateStore
from kofinlaw.rag.index.tokens import tokens_of

QUERIES = ["접근매체를 빌려줄 수 있는가", "유출을 알려야 하는 시간", "수수료와 회원", "별표 7"]


@pytest.fixture
def store(built: Any) -> WeaviateStore:
    return WeaviateStore.connect(built.index, built.settings)


def test_words_are_scored_with_distinct_words_as_length_and_b_of_one(
    built: Any, store: WeaviateStore
) -> None:
    """The measured fact: the order of local BM25 at b = 1 over passages without repeated words."""
    distinct = [list(dict.fromkeys(words)) for words in built.index.tokens("bigram")]
    asked = "접근매체를 사용하거나 관리하는"
    ((rows, scores),) = store.lexical("bigram", [asked], 60, [EVERYTHING])
    lengths = np.array([len(words) for words in distinct])
    counts = [words.count for words in built.index.tokens("bigram")]
    (query,) = tokens_of("bigram", [asked])
    expected = np.zeros(60)
    for word in query:
        frequency = np.array([count(word) for count in counts])
        within = int((frequency > 0).sum())
        rarity = np.log(1 + (60 - within + 0.5) / (within + 0.5))
        expected += rarity * frequency * (K1 + 1) / (frequency + K1 * lengths / lengths.mean())
    assert sorted(rows.tolist()) == np.flatnonzero(expected).tolist()
    assert scores == pytest.approx(expected[rows], rel=1e-5)
    assert LexicalIndex  # the local index has the same k1


def test_the_same_passages_as_locally_share_words_with_a_query(
    built: Any, store: WeaviateStore
) -> None:
    local = LocalStore(built.index)
    free = [EVERYTHING] * 4
    for here, there in zip(
        local.lexical("bigram", QUERIES, 60, free), store.lexical("bigram", QUERIES, 60, free),
        strict=True,
    ):  # fmt: skip
        assert set(here[0].tolist()) == set(there[0].tolist())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 70), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_vectors_and_masks_give_the_result_of_the_exact_local_search(
    built: Any, store: WeaviateStore, k: int, share: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(2, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    allowed = [EVERYTHING.limited(draw.random(60) < share), EVERYTHING]
    expected = LocalStore(built.index).dense(vectors, k, allowed)
    for here, there in zip(expected, store.dense(vectors, k, allowed), strict=True):
        assert len(here[0]) == len(there[0])
        assert there[1] == pytest.approx(here[1], abs=1e-5)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 1.0])
def test_a_masked_hybrid_is_fused_after_the_mask(
    built: Any, store: WeaviateStore, share: float
) -> None:
    mask = np.random.default_rng(3).random(60) < share
    allowed = [EVERYTHING.limited(mask), EVERYTHING]
    vectors = np.eye(8, dtype=np.float32)[:2]
    words = store.lexical("bigram", QUERIES[:2], 5, allowed)
    near = store.dense(vectors, 5, allowed)
    both = store.hybrid(
        "bigram", QUERIES[:2], vectors, 5, alpha=0.4, fusion="relative_score", allowed=allowed
    )
    assert len(both[0][0]) == min(5, len(set(words[0][0].tolist()) | set(near[0][0].tolist())))
    assert mask[both[0][0]].all()
    assert set(both[1][0].tolist()) <= {*words[1][0].tolist(), *near[1][0].tolist()}


def test_the_queries_of_a_batch_are_sent_at_the_same_time_and_no_more_than_allowed(
    built: Any,
) -> None:
    built.stand_in.barrier = threading.Barrier(4)  # a search returns when four are there
    store = WeaviateStore.connect(built.index, built.changed(concurrent_calls=4, call_seconds=30.0))
    found = store.lexical("bigram", QUERIES * 5, 3, [EVERYTHING] * 20)
    assert built.stand_in.at_once == 4
    built.stand_in.barrier = None
    alone = [store.lexical("bigram", [one], 3, [EVERYTHING])[0][0].tolist() for one in QUERIES]
    assert [rows.tolist() for rows, _ in found] == alone * 5


def test_a_query_without_words_finds_nothing_and_is_not_sent(
    built: Any, store: WeaviateStore
) -> None:
    before = len(built.stand_in.calls)
    ((rows, _),) = store.lexical("bigram", ["?!"], 3, [EVERYTHING])
    assert rows.tolist() == []
    assert built.stand_in.calls[before:] == []
    assert store.lexical("bigram", [], 3, []) == []
