"""How many requests a query needs, and that they find as many passages as exist."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.rag.index.admission import EVERYTHING, Admission
from kofinlaw.rag.index.stores.weaviate_server import results
from kofinlaw.rag.index.stores.weaviate_server.results import allowed_results


class Ranking:
    """A server's ranking of rows (the best first), and the requests that it was asked."""

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order
        self.asked: list[tuple[int, int | None]] = []

    async def ask(self, limit: int, rows: Sequence[int] | None) -> list[tuple[int, float]]:
        self.asked.append((limit, None if rows is None else len(rows)))
        assert limit <= results.MAX_RESULTS
        kept = None if rows is None else set(rows)
        found = [
            (row, -float(at)) for at, row in enumerate(self.order) if kept is None or row in kept
        ]
        return found[:limit]


def searched(ranking: Ranking, k: int, mask: Any) -> list[int]:
    admission = EVERYTHING if mask is None else EVERYTHING.limited(mask)
    return asyncio.run(allowed_results(ranking.ask, k, admission))[0].tolist()


@given(st.integers(1, 300), st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_the_best_allowed_passages_come_back_in_at_most_two_requests(
    count: int, k: int, share: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    mask = draw.random(count) < share
    order = draw.permutation(count).tolist()
    ranking = Ranking(order)
    assert searched(ranking, k, mask) == [row for row in order if mask[row]][:k]
    assert len(ranking.asked) <= 2


def test_conditions_alone_need_one_request() -> None:
    ranking = Ranking(range(1000))
    assert searched(ranking, 5, None) == [0, 1, 2, 3, 4]
    assert ranking.asked == [(5, None)]


def test_a_small_share_is_asked_for_by_its_rows_and_a_large_one_by_more_results() -> None:
    mask = np.zeros(10_000, dtype=bool)
    mask[9990:] = True
    ranking = Ranking(range(10_000))
    assert searched(ranking, 10, mask) == list(range(9990, 10_000))
    assert ranking.asked == [(10, 10)]
    mask = np.arange(10_000) % 2 == 0
    ranking = Ranking(range(10_000))
    assert searched(ranking, 10, mask) == list(range(0, 20, 2))
    assert ranking.asked == [(30, None)]
    assert searched(Ranking(range(9)), 10, np.zeros(9, dtype=bool)) == []


def test_more_rows_than_one_filter_names_are_asked_for_in_parts(monkeypatch: Any) -> None:
    monkeypatch.setattr(results, "MAX_ROWS", 100)
    monkeypatch.setattr(results, "MAX_RESULTS", 50)
    mask = np.arange(1000) >= 600
    ranking = Ranking(range(1000))  # none of the first 50 results is allowed
    assert searched(ranking, 5, mask) == [600, 601, 602, 603, 604]
    assert ranking.asked == [(19, None), *[(5, 100)] * 4]


def test_equal_scores_are_put_in_the_order_of_the_corpus() -> None:
    async def ask(limit: int, rows: Any) -> list[tuple[int, float]]:
        return [(4, 1.0), (1, 1.0), (3, 1.0)]

    found = asyncio.run(allowed_results(ask, 2, Admission()))
    assert found[0].tolist() == [1, 3]
