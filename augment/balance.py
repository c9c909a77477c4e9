"""Drop questions until no trivial solver answers those that are left better than by chance.

A solver that reads nothing may be right by the way questions are made. Dropping at random from the
questions that it solves, and not all of them, leaves questions of every sort (as AFLite does, Le
Bras et al., arXiv 2002.04108, but down to chance instead of to zero). Each question of a small set
is a large share of it, so kept questions are then exchanged for dropped ones.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["SMALLEST", "TOLERANCE", "Balanced", "balanced", "excess", "exchanged"]

# A solver may differ by so much from chance (0 to 1), with at least so many questions left.
TOLERANCE = 0.03
SMALLEST = 30
# Questions compared for each one that is dropped.
_CANDIDATES = 12
_MOST_EXCHANGES = 200


@dataclass(frozen=True)
class Balanced:
    """Indexes of the questions that are left, in order, and whether every solver is near chance."""

    kept: tuple[int, ...]
    reached: bool


def excess(credits: Sequence[Mapping[str, float]], chances: Sequence[float]) -> np.ndarray:
    """Return each solver's credit less chance: an array of shape (questions, solvers)."""
    names = sorted(credits[0]) if credits else []
    return np.array(
        [
            [row[name] - chance for name in names]
            for row, chance in zip(credits, chances, strict=True)
        ]
    ).reshape(len(credits), len(names))


def balanced(
    values: np.ndarray, rng: random.Random, *, most: int | None = None, smallest: int = SMALLEST
) -> Balanced:
    """Return which questions to keep so that each solver's mean excess is within `TOLERANCE`.

    Args:
        values: Credit less chance, of shape (questions, solvers), as `excess` returns it.
        rng: Draws the candidates to drop.
        most: Largest number to keep; None keeps all that can be kept.
        smallest: Number at which dropping stops.
    """
    kept = list(range(len(values)))
    total = values.sum(axis=0) if len(values) else np.zeros(0)
    limit = len(kept) if most is None else most
    while kept:
        means = total / len(kept)
        worst = int(np.argmax(np.abs(means))) if len(means) else 0
        within = not len(means) or abs(means[worst]) <= TOLERANCE
        if within and len(kept) <= limit:
            return Balanced(tuple(kept), len(kept) >= min(smallest, limit))
        if not within and len(kept) <= min(smallest, limit):
            return Balanced(tuple(kept), False)
        candidates = kept
        if not within:
            helpful = [i for i in kept if values[i, worst] * means[worst] > 0]
            candidates = helpful or kept
        drawn = rng.sample(candidates, min(_CANDIDATES, len(candidates)))
        drop = min(drawn, key=lambda i: (_distance((total - values[i]) / max(len(kept) - 1, 1)), i))
        kept.remove(drop)
        total = total - values[drop]
    return Balanced((), False)


def exchanged(
    values: np.ndarray, kept: Sequence[int], cells: Sequence[Hashable]
) -> tuple[list[int], bool]:
    """Exchange kept questions for dropped ones of the same cell until each solver is near chance.

    The number of questions of each cell stays. Each exchange is the one that brings the sum of
    squared mean excesses down most, so the result does not depend on chance.

    Args:
        values: Credit less chance, of shape (questions, solvers), as `excess` returns it.
        kept: Indexes of the questions that are kept.
        cells: The cell of each question.

    Returns:
        The indexes that are kept then, in order, and whether every mean excess is within
        `TOLERANCE`.
    """
    inside = sorted(kept)
    outside = sorted(set(range(len(values))) - set(inside))
    names = {cell: number for number, cell in enumerate(dict.fromkeys(cells))}
    numbers = np.array([names[cell] for cell in cells])
    for _ in range(_MOST_EXCHANGES):
        total = values[inside].sum(axis=0)
        if _is_near(total, len(inside)) or not inside or not outside:
            break
        gone, come = values[inside], values[outside]
        # |total - gone + come|², the squared length for each pair
        change = (
            ((gone**2).sum(axis=1) - 2 * gone @ total)[:, None]
            + ((come**2).sum(axis=1) + 2 * come @ total)[None, :]
            - 2 * gone @ come.T
        )
        change[numbers[inside][:, None] != numbers[outside][None, :]] = np.inf
        row, column = np.unravel_index(int(np.argmin(change)), change.shape)
        if change[row, column] >= -1e-9:
            break
        inside[row], outside[column] = outside[column], inside[row]
        inside.sort()
        outside.sort()
    return inside, _is_near(values[inside].sum(axis=0), len(inside))


def _is_near(total: np.ndarray, count: int) -> bool:
    """Return whether the mean of each solver's excess is within the tolerance; false for none."""
    return count > 0 and float(np.abs(total).max(initial=0.0)) <= TOLERANCE * count + 1e-12


def _distance(means: np.ndarray) -> float:
    """Return how far the solvers are from chance: the sum of squares, largest ones count most."""
    return float((means**2).sum())
