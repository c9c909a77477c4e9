"""Walk the typed graph of rules from the hits of queries, and choose the weights of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse

from kofinlaw.data.law.links.edges import Edge, EdgeKind

Step = tuple[EdgeKind, str]
Weights = dict[Step, float]
STEPS: tuple[Step, ...] = tuple(
    (kind, way)
    for kind in ("cites", "delegates", "penalises", "defines")
    for way in ("forward", "backward")
)
TRIED = (0.05, 0.1, 0.2, 0.3, 0.5)
SEEDS, SHOWN = 30, 10


class Walk:
    """The fused lists of all queries, and what each step of the graph adds to them."""

    def __init__(
        self, found: Sequence[Sequence[tuple[int, float]]], edges: Sequence[Edge], units: list[str]
    ) -> None:
        row_of = {unit: row for row, unit in enumerate(units)}
        self.scores = _matrix(found, len(units))
        seeds = _matrix([one[:SEEDS] for one in found], len(units))
        self.added = {}
        for kind, way in STEPS:
            pairs = {(row_of[e.source], row_of[e.target]) for e in edges if e.kind == kind}
            steps = np.array(sorted(pairs))[:, :: 1 if way == "forward" else -1]
            ones = (np.ones(len(steps)), (steps[:, 0], steps[:, 1]))
            matrix = sparse.csr_matrix(ones, shape=(len(units), len(units)))
            degree = np.maximum(np.asarray(matrix.sum(1)).ravel(), 1)
            sums = (seeds @ sparse.diags(degree**-0.5) @ matrix).tocsr()
            best = sums.max(1).toarray().ravel()
            best[best == 0] = 1
            self.added[kind, way] = (sparse.diags(1 / best) @ sums).tocsr()

    def top(self, chosen: Sequence[int], weights: Weights, count: int = SHOWN) -> list[list[int]]:
        """Return the rows of the best passages of the chosen queries."""
        total = self.scores[chosen]
        for step, weight in weights.items():
            if weight:
                total = total + weight * self.added[step][chosen]
        total = total.tocsr()
        out = []
        for place in range(len(chosen)):
            part = slice(total.indptr[place], total.indptr[place + 1])
            rows, scores = total.indices[part], total.data[part]
            out.append(rows[np.lexsort((rows, -scores))[:count]].tolist())
        return out


def _matrix(found: Sequence[Sequence[tuple[int, float]]], width: int) -> Any:
    places = [place for place, one in enumerate(found) for _ in one]
    rows = [row for one in found for row, _ in one]
    values = [score for one in found for _, score in one]
    return sparse.csr_matrix((values, (places, rows)), shape=(len(found), width))


def recalls(
    found: Sequence[Sequence[int]],
    gold: Sequence[set[int]],
    chosen: Sequence[int],
    count: int = SHOWN,
) -> Any:
    """Return the share of the gold articles among the first `count` of each chosen query."""
    return np.array(
        [
            len(set(one[:count]) & gold[query]) / len(gold[query])
            for one, query in zip(found, chosen, strict=True)
        ]
    )


def complete(
    found: Sequence[Sequence[int]], gold: Sequence[set[int]], chosen: Sequence[int]
) -> Any:
    """Return 1 for each query with several gold articles that are all found, else 0."""
    several = [len(gold[query]) > 1 for query in chosen]
    return (recalls(found, gold, chosen, max(map(len, found)))[several] == 1).astype(float)


def figures(
    found: Sequence[Sequence[int]],
    gold: Sequence[set[int]],
    chosen: Sequence[int],
    count: int = SHOWN,
) -> dict[str, float]:
    """Return the recall among the first `count`, the share of queries with several gold articles
    that have all of them, and the recall of queries with one gold article.
    """
    shares = recalls(found, gold, chosen, count)
    several = np.array([len(gold[query]) > 1 for query in chosen])
    name = "R@10" if count == SHOWN else "R"
    return {
        name: _mean(shares),
        "all of several": _mean(shares[several] == 1),
        "one": _mean(shares[~several]),
    }


def _mean(values: Any) -> float:
    return round(float(np.mean(values)), 4)


def learned(walk: Walk, gold: Sequence[set[int]], chosen: Sequence[int]) -> Weights:
    """Return the weights that two rounds over the steps find best on the chosen queries.

    The value is R@10 plus the share of queries with several gold articles that have all of them.
    """

    def value(weights: Weights) -> float:
        row = figures(walk.top(chosen, weights), gold, chosen)
        return row["R@10"] + row["all of several"]

    weights: Weights = {}
    best = value(weights)
    for _ in range(2):
        for step in STEPS:
            for weight in (0.0, *TRIED):
                trial = {**weights, step: weight}
                if (now := value(trial)) > best + 1e-9:
                    best, weights = now, trial
    return weights


def best_alone(walk: Walk, gold: Sequence[set[int]], chosen: Sequence[int], step: Step) -> Weights:
    """Return the best weight of one step on the chosen queries."""
    trials: list[Weights] = [{step: weight} for weight in TRIED]
    return max(trials, key=lambda w: figures(walk.top(chosen, w), gold, chosen)["R@10"])
