"""One ranking out of several: relative score and ranked fusion, as Weaviate words them.

`alpha` is the vectors' share: 0.7 means 70 % vectors. Relative score maps each list's best score
to 1 and its worst to 0 before the weighted sum; ranked adds weight / (rank + 60).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.rag.settings import Fusion

RANK_CONSTANT = 60  # Weaviate's and Cormack et al. 2009


@dataclass(frozen=True)
class Ranked:
    """One retriever's list for one query: places of passages, best first, with their scores."""

    by: str
    places: NDArray[Any]
    scores: NDArray[Any]
    weight: float = 1.0


def fuse(
    lists: Sequence[Ranked], method: Fusion = "relative_score"
) -> list[tuple[int, float, tuple[str, ...]]]:
    """(place, fused score, retrievers that found it), best first; ties by place.

    Weights are divided by their sum, so a passage that leads every list scores 1 by relative
    score (1 / 61 ranked). Lists with no weight or no passage add nothing.
    """
    used = [ranked for ranked in lists if ranked.weight > 0]
    total = sum(ranked.weight for ranked in used)
    scores: dict[int, float] = {}
    finders: dict[int, dict[str, None]] = {}
    for ranked in used:
        share = ranked.weight / total
        values = fusable(ranked.scores, method)
        for place, value in zip(ranked.places.tolist(), values.tolist(), strict=True):
            scores[place] = scores.get(place, 0.0) + share * value
            finders.setdefault(place, {})[ranked.by] = None
    order = sorted(scores, key=lambda place: (-scores[place], place))
    return [(place, scores[place], tuple(finders[place])) for place in order]


def fusable(scores: NDArray[Any], method: Fusion) -> NDArray[Any]:
    """What a list's scores (best first) add to a fusion before they are weighed, float64."""
    return _relative(scores) if method == "relative_score" else _ranks(scores)


def _relative(scores: NDArray[Any]) -> NDArray[Any]:
    """Min-max to 0..1; equal scores (or a single one) all count as best."""
    values = np.asarray(scores, dtype=np.float64)
    if not len(values):
        return values
    low, high = values.min(), values.max()
    return np.ones_like(values) if high == low else (values - low) / (high - low)


def _ranks(scores: NDArray[Any]) -> NDArray[Any]:
    return 1.0 / (RANK_CONSTANT + np.arange(1, len(scores) + 1, dtype=np.float64))
