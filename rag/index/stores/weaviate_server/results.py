"""Ask a server for the best passages that a query may find, in a bounded number of requests.

What the conditions of a query say is filtered by the server. Where a mask remains, either the
server is asked for more passages than needed and the mask is applied here, or the allowed rows go
along as a filter.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from kofinlaw.rag.arrays import Found
from kofinlaw.rag.index.admission import Admission

__all__ = ["MAX_RESULTS", "MAX_ROWS", "Ask", "allowed_results"]

MAX_RESULTS = 10_000  # results in one answer of the server (its QUERY_MAXIMUM_RESULTS)
MAX_ROWS = 20_000  # rows that one filter names
_MOST_EXTRA = 4  # times as many results as wanted that are asked for rather than filtering rows
_MARGIN = 1.5  # times the results that are expected to hold enough allowed ones

# Asks for at most so many results, of all rows (None) or of these: rows and scores.
Ask = Callable[[int, Sequence[int] | None], Awaitable[list[tuple[int, float]]]]


async def allowed_results(ask: Ask, k: int, admission: Admission) -> Found:
    """Return the best `k` passages that the query may find, best first, ties by row.

    `ask` applies the conditions. One request is enough where they say all. Otherwise one or two
    are, and more only where the allowed rows are more than `MAX_ROWS` and the best results are
    hardly ever among them.
    """
    if admission.rest is None:
        return _best(await ask(min(k, MAX_RESULTS), None), k)
    assert admission.mask is not None
    rows = np.flatnonzero(admission.mask)
    if not len(rows):
        return _best([], k)
    share = max(float(admission.rest.mean()), 1 / len(admission.rest))
    limit = min(math.ceil(k / share * _MARGIN), MAX_RESULTS)
    if limit <= _MOST_EXTRA * k or len(rows) > MAX_ROWS:
        found = await ask(limit, None)
        passed = [one for one in found if admission.mask[one[0]]]
        if len(passed) >= k or len(found) < limit:
            return _best(passed, k)
    parts = [rows[at : at + MAX_ROWS].tolist() for at in range(0, len(rows), MAX_ROWS)]
    lists = await asyncio.gather(*(ask(min(k, MAX_RESULTS), part) for part in parts))
    return _best([one for part in lists for one in part], k)


def _best(found: Sequence[tuple[int, float]], k: int) -> Found:
    """Return the best `k` of (row, score), best first, ties by row."""
    kept = sorted(found, key=lambda one: (-one[1], one[0]))[:k]
    return (
        np.array([row for row, _ in kept], dtype=np.int64),
        np.array([score for _, score in kept], dtype=np.float64),
    )
