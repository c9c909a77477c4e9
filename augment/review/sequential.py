"""Bound how many examples of a kind are wrong, from those that were read, at any time.

The examples of a kind are read in a random order without replacement. For every possible number
`K` of wrong ones among all `N`, two test martingales compare the likelihood of `K` with mixtures of
the smaller and of the larger numbers. `K` is excluded as soon as one of them reaches `1 / ERROR`.
By Ville's inequality the true number is ever excluded from above, or ever from below, with a
probability of at most `ERROR` each, however often a reader looks and whenever reading stops
(Waudby-Smith and Ramdas 2020, "Confidence sequences for sampling without replacement").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["ERROR", "LIMIT", "Outcome", "RateBounds", "RateVerdict", "most_allowed", "rate_bounds"]

ERROR = 0.05  # probability that a bound is wrong, for each of the two bounds
LIMIT = 0.02  # share of wrong examples that a kind may have

Outcome = Literal["right", "wrong", "unclear"]
RateVerdict = Literal["shown", "refuted", "open"]


@dataclass(frozen=True, slots=True)
class RateBounds:
    """What is known of the wrong examples among the `population` of a kind.

    - `read`, `wrong`, `unclear`: counts of the examples that were read.
    - `least`, `most`: bounds of the number of wrong examples among all. Each holds with a
      probability of 1 − `ERROR`, at every moment together.
    - `decided_at`: how many were read when the verdict was reached; 0 while it is open.
    """

    population: int
    read: int
    wrong: int
    unclear: int
    least: int
    most: int
    verdict: RateVerdict
    decided_at: int = 0


def most_allowed(population: int, limit: float = LIMIT) -> int:
    """Return how many of `population` examples may be wrong at a rate of at most `limit`."""
    return math.floor(population * limit + 1e-9)


def rate_bounds(
    population: int, outcomes: Sequence[Outcome], *, error: float = ERROR, limit: float = LIMIT
) -> RateBounds:
    """Return the bounds after these outcomes, which are in the random order of the sample.

    An unclear example counts as wrong for the upper bound and as right for the lower one, so both
    hold whichever it is. Bounds never widen, unless what was read contradicts them.

    Raises ValueError if there are more outcomes than examples.
    """
    if len(outcomes) > population:
        raise ValueError(f"{len(outcomes)} outcomes of {population} examples")
    allowed = most_allowed(population, limit)
    wrong = [outcome == "wrong" for outcome in outcomes]
    bottoms = _bounds(population, wrong, error, upper=False)
    tops = _bounds(population, [outcome != "right" for outcome in outcomes], error, upper=True)
    least, most, verdict, decided = 0, population, _verdict(0, population, allowed), 0
    found = right = 0
    for read, outcome in enumerate(outcomes, 1):
        found += outcome == "wrong"
        right += outcome == "right"
        least, most = max(bottoms[read], found), min(tops[read], population - right)
        if least > most or most < found or least > population - right:
            least, most = found, population - right  # only what is certain
        now = _verdict(least, most, allowed)
        if now != verdict:
            verdict, decided = now, read
    unclear = len(outcomes) - found - right
    return RateBounds(population, len(outcomes), found, unclear, least, most, verdict, decided)


def _verdict(least: int, most: int, allowed: int) -> RateVerdict:
    if least > allowed:
        return "refuted"
    return "shown" if most <= allowed else "open"


def _bounds(population: int, marked: Sequence[bool], error: float, *, upper: bool) -> list[int]:
    """Return the bound of the number of marked examples after 0, 1, … reads."""
    bound, found = population if upper else 0, 0
    bounds = [bound]
    for read, one in enumerate(marked, 1):
        found += one
        now = _bound(population, read, found, error, upper)
        if now is not None:
            bound = min(bound, now) if upper else max(bound, now)
        bounds.append(bound)
    return bounds


@lru_cache(maxsize=1 << 17)
def _bound(population: int, read: int, found: int, error: float, upper: bool) -> int | None:
    """Return the largest (`upper`) or smallest number that is not excluded; None if all are.

    A review page asks for the same reads after each verdict, so results are kept.
    """
    import numpy as np

    prior, shares, factorials = _constants(population, upper)
    likelihood = _log_likelihood(population, read, found, factorials)
    mixture = _mixture(prior, shares, likelihood, upper=upper)
    with np.errstate(invalid="ignore"):
        excluded = (mixture - likelihood >= -math.log(error)) | np.isneginf(likelihood)
    left = np.flatnonzero(~excluded)
    return int(left[-1 if upper else 0]) if left.size else None


@lru_cache(maxsize=64)
def _constants(population: int, upper: bool) -> tuple[Floats, Floats, Floats]:
    """Return what all reads of a kind share: the logs of the mixtures' weights, of their sums, and
    of the factorials. Each has the shape (population + 1,).
    """
    import numpy as np

    numbers = np.arange(population + 1)
    # Small numbers count more, since most kinds have few errors.
    prior = -np.log1p(numbers)
    weights = prior if upper else prior[::-1]
    shares = np.logaddexp.accumulate(weights)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, population + 1)))])
    return weights, shares, factorials


def _log_likelihood(population: int, read: int, found: int, factorials: Floats) -> Floats:
    """Return for each number of marked examples the log-probability of what was read, in order.

    A term that all numbers share is left out. Shape (population + 1,).
    """
    import numpy as np

    out = np.full(population + 1, -np.inf)
    marked = np.arange(found, population - (read - found) + 1)  # the numbers that are possible
    others = population - marked
    out[marked] = (
        factorials[marked]
        - factorials[marked - found]
        + factorials[others]
        - factorials[others - (read - found)]
    )
    return out


def _mixture(prior: Floats, shares: Floats, likelihood: Floats, *, upper: bool) -> Floats:
    """Return for each number the log of the mean likelihood of all smaller ones (for an upper
    bound), or of all larger ones; minus infinity where there are none.

    For a lower bound `prior` and `shares` begin with the largest number.
    """
    import numpy as np

    out = np.full(len(prior), -np.inf)
    ordered = likelihood if upper else likelihood[::-1]
    out[1:] = np.logaddexp.accumulate(prior + ordered)[:-1] - shares[:-1]
    return out if upper else out[::-1]
