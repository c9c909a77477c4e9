"""Compute retrieval scores against groups of gold passages: one of each group is needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

from kofinlaw.scoring.result import figure_record
from kofinlaw.scoring.scores_record import FigureRecord
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.intervals import mean_figure
from kofinlaw.scoring.stats.paired import paired_difference, sign_flip_p

__all__ = ["DEPTHS", "GroupDifference", "GroupFigures", "group_difference", "group_figures"]

DEPTHS = (1, 3, 5, 10)
Groups = Sequence[Sequence[str]]
Ranked = Sequence[Sequence[str]]  # the units of each passage, best first


class GroupFigures(TypedDict):
    """Means over `n` questions, by depth `k` as text.

    `hit` counts a question if one gold passage is among the first k passages, `every` if one of
    each group is, `recall` is the share of its groups. `mrr` and `ndcg` are at 10: a group counts
    once, at the first passage that belongs to it.
    """

    n: int
    hit: dict[str, FigureRecord]
    every: dict[str, FigureRecord]
    recall: dict[str, FigureRecord]
    mrr: float
    ndcg: float


class GroupDifference(TypedDict):
    """Recall at 5 of `b` minus that of `a` on the same questions, in -1..1, with a sign-flip p."""

    a: str
    b: str
    n: int
    difference: float
    low: float
    high: float
    p_value: float


def group_figures(
    gold: Mapping[str, Groups],
    ranked: Mapping[str, Ranked],
    settings: ScoreSettings,
    seed: int = 0,
) -> GroupFigures:
    """Return the retrieval scores over the questions that have gold passages.

    Args:
        gold: Groups of gold ids by question id; a question without a group does not count.
        ranked: The units of each found passage, best first, by question id; nothing found is a
            miss.
        settings: Level and samples of the intervals.
        seed: Of the bootstrap.

    Raises ValueError if no question has a gold passage.
    """
    asked = {name: groups for name, groups in gold.items() if groups}
    if not asked:
        raise ValueError("no question has a gold passage")
    firsts = {name: _first_ranks(groups, ranked.get(name, ())) for name, groups in asked.items()}

    def figures(share: dict[str, list[float]]) -> dict[str, FigureRecord]:
        out = {}
        for k, values in share.items():
            figure = mean_figure(
                values,
                samples=settings.bootstrap_samples,
                confidence=settings.confidence,
                seed=seed,
            )
            assert figure is not None  # there is a question
            out[k] = figure_record(figure)
        return out

    found = {
        str(k): {
            name: sum(r is not None and r <= k for r in ranks) for name, ranks in firsts.items()
        }
        for k in DEPTHS
    }
    sizes = {name: len(groups) for name, groups in asked.items()}
    return {
        "n": len(asked),
        "hit": figures({k: [float(c > 0) for c in by.values()] for k, by in found.items()}),
        "every": figures(
            {k: [float(c == sizes[name]) for name, c in by.items()] for k, by in found.items()}
        ),
        "recall": figures(
            {k: [c / sizes[name] for name, c in by.items()] for k, by in found.items()}
        ),
        "mrr": sum(_reciprocal(ranks) for ranks in firsts.values()) / len(asked),
        "ndcg": sum(_ndcg(ranks) for ranks in firsts.values()) / len(asked),
    }


def group_difference(
    gold: Mapping[str, Groups],
    names: tuple[str, str],
    ranked: tuple[Mapping[str, Ranked], Mapping[str, Ranked]],
    settings: ScoreSettings,
    seed: int = 0,
) -> GroupDifference:
    """Return how much more of the gold passages the second search finds in five than the first."""
    asked = {name: groups for name, groups in gold.items() if groups}
    values = [
        [
            sum(r is not None and r <= 5 for r in _first_ranks(groups, found.get(name, ())))
            / len(groups)
            for name, groups in asked.items()
        ]
        for found in ranked
    ]
    difference, low, high = paired_difference(
        *values, samples=settings.bootstrap_samples, confidence=settings.confidence, seed=seed
    )
    return {
        "a": names[0],
        "b": names[1],
        "n": len(asked),
        "difference": difference,
        "low": low,
        "high": high,
        "p_value": sign_flip_p([y - x for x, y in zip(*values, strict=True)], seed=seed),
    }


def _first_ranks(groups: Groups, found: Ranked) -> list[int | None]:
    """Return the rank from 1 of the first passage of each group; None if none is found."""
    out: list[int | None] = []
    for group in groups:
        wanted = set(group)
        out.append(next((rank for rank, units in enumerate(found, 1) if wanted & set(units)), None))
    return out


def _reciprocal(ranks: Sequence[int | None]) -> float:
    best = min((rank for rank in ranks if rank is not None and rank <= 10), default=None)
    return 1 / best if best else 0.0


def _ndcg(ranks: Sequence[int | None]) -> float:
    gain = sum(1 / math.log2(rank + 1) for rank in ranks if rank is not None and rank <= 10)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(ranks), 10) + 1))
    return min(gain / best, 1.0)
