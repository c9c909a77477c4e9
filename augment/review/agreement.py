"""Measure how far two readers agree: the share of equal verdicts and Cohen's kappa."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from kofinlaw.augment.review.sequential import Outcome

__all__ = ["CONFIDENCE", "Agreement", "agreement"]

CONFIDENCE = 0.95
_NO_VARIANCE = 1e-12


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of two readers on the `n` examples that both have read.

    - `equal`: examples with equal verdicts.
    - `kappa`: Cohen's kappa (1960), −1 to 1; None if chance alone would make all verdicts equal.
    - `low`, `high`: its interval of 95 % by the variance of Fleiss, Cohen and Everitt (1969). None
      if that is 0 (no difference, or one reader always said the same): the formula then knows
      nothing of the error.
    """

    readers: tuple[str, str]
    n: int
    equal: int
    kappa: float | None
    low: float | None
    high: float | None


def agreement(readers: tuple[str, str], pairs: Sequence[tuple[Outcome, Outcome]]) -> Agreement:
    """Return the agreement on pairs of verdicts, the first reader's first."""
    n, equal = len(pairs), sum(a == b for a, b in pairs)
    if not n:
        return Agreement(readers, 0, 0, None, None, None)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    names = sorted({*first, *second})
    chance = sum(first[name] * second[name] for name in names) / n**2
    if chance == 1:
        return Agreement(readers, n, equal, None, None, None)
    seen = equal / n
    kappa = (seen - chance) / (1 - chance)
    cells = Counter(pairs)
    on_diagonal = sum(
        cells[name, name] / n * ((1 - chance) - (first[name] + second[name]) / n * (1 - seen)) ** 2
        for name in names
    )
    off_diagonal = (1 - seen) ** 2 * sum(
        count / n * ((second[a] + first[b]) / n) ** 2 for (a, b), count in cells.items() if a != b
    )
    variance = on_diagonal + off_diagonal - (seen * chance - 2 * chance + seen) ** 2
    if variance < _NO_VARIANCE:
        return Agreement(readers, n, equal, kappa, None, None)
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(variance / n) / (1 - chance) ** 2
    return Agreement(readers, n, equal, kappa, max(-1.0, kappa - half), min(1.0, kappa + half))
