"""Fuse several ranked lists into one: relative score or ranked fusion, as in Weaviate.

Relative score maps each list's best score to 1 and its worst to 0 before the weighted sum. Ranked
fusion adds weight / (rank + 60) (reciprocal rank fusion, Cormack et al. 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kofinlaw.rag.arrays import Found, Rows, Scores
from kofinlaw.rag.settings import Fusion

__all__ = ["RANK_CONSTANT", "Fused", "Ranked", "fuse", "fuse_both", "fusion_values"]

RANK_CONSTANT = 60  # Weaviate's and Cormack et al. 2009


@dataclass(frozen=True)
class Ranked:
    """The list of one retriever for one query: rows of passages, best first, with their scores.

    `by` names the retriever and the query form (`kiwi:stem`), `weight` has no unit.
    """

    by: str
    rows: Rows
    scores: Scores
    weight: float = 1.0


class Fused(NamedTuple):
    """A passage in a fused ranking: its row, its score and the retrievers that found it."""

    row: int
    score: float
    by: tuple[str, ...]


def fuse(lists: Sequence[Ranked], method: Fusion = "relative_score") -> list[Fused]:
    """Return one ranking of all passages in the lists, best first, ties by row.

    Weights are divided by their sum, so a passage that leads every list scores 1 by relative
    score (1 / 61 by rank). Lists without weight or passages add nothing.
    """
    used = [ranked for ranked in lists if ranked.weight > 0]
    total = sum(ranked.weight for ranked in used)
    scores: dict[int, float] = {}
    finders: dict[int, dict[str, None]] = {}
    for ranked in used:
        share = ranked.weight / total
        values = fusion_values(ranked.scores, method)
        for row, value in zip(ranked.rows.tolist(), values.tolist(), strict=True):
            scores[row] = scores.get(row, 0.0) + share * value
            finders.setdefault(row, {})[ranked.by] = None
    order = sorted(scores, key=lambda row: (-scores[row], row))
    return [Fused(row, scores[row], tuple(finders[row])) for row in order]


def fuse_both(by_words: Found, by_vector: Found, k: int, alpha: float, method: Fusion) -> Found:
    """Return the best `k` passages of a list by words and one by vectors, fused.

    `alpha` (0..1) is the share of the vectors.
    """
    lists = [Ranked("words", *by_words, 1 - alpha), Ranked("dense", *by_vector, alpha)]
    best = fuse(lists, method)[:k]
    rows = np.array([row for row, _, _ in best], dtype=np.int64)
    return rows, np.array([score for _, score, _ in best], dtype=np.float64)


def fusion_values(scores: Scores, method: Fusion) -> NDArray[np.float64]:
    """Return the values that one list (best first) adds to a fusion, before the list's weight."""
    return _relative(scores) if method == "relative_score" else _reciprocal_ranks(len(scores))


def _relative(scores: Scores) -> NDArray[np.float64]:
    """Scale scores to 0..1 by min-max; equal scores (or a single one) all count as best."""
    values = np.asarray(scores, dtype=np.float64)
    if not len(values):
        return values
    low, high = values.min(), values.max()
    return np.ones_like(values) if high == low else (values - low) / (high - low)


def _reciprocal_ranks(count: int) -> NDArray[np.float64]:
    return 1.0 / (RANK_CONSTANT + np.arange(1, count + 1, dtype=np.float64))
