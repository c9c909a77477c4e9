"""Test two systems on the same items, and compute the smallest difference that n items can show."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kofinlaw.scoring.result import SmallestDifference
from kofinlaw.scoring.stats.intervals import quantiles, resampled_means

__all__ = [
    "MOST_PARTS",
    "TYPICAL_DISCORDANT",
    "WIDEST",
    "holm",
    "mcnemar_exact",
    "paired_difference",
    "sign_flip_p",
    "smallest_detectable",
    "smallest_significant",
]

MOST_PARTS = 180  # largest denominator of differences that are tested exactly
WIDEST = 50_000  # largest sum of the steps of an exact test
TYPICAL_DISCORDANT = 0.2  # 90-110 of 500 between contest submissions


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Return the two-sided exact McNemar p-value (McNemar 1947); 1.0 without discordant items.

    The exact test is a binomial test at ½. It is computed here with integers: scipy's binomtest
    differs in the last digits, and recorded p-values must not change. Raises ValueError for a
    negative count.

    Args:
        only_a: items that only system a answers correctly.
        only_b: items that only system b answers correctly.
    """
    if only_a < 0 or only_b < 0:
        raise ValueError("counts cannot be negative")
    n, k = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(k + 1))
    return min(1.0, 2 * tail / 2**n)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down adjusted p-values (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    out, running = [0.0] * len(p_values), 0.0
    for step, i in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - step) * p_values[i]))
        out[i] = running
    return out


def paired_difference(
    a: Sequence[float], b: Sequence[float], *, samples: int, confidence: float, seed: int
) -> tuple[float, float, float]:
    """Return (mean of b − a, low, high) of a bootstrap that resamples items, pairs together."""
    differences = np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64)
    if (differences == differences[0]).all():
        return float(differences[0]), float(differences[0]), float(differences[0])
    rows = resampled_means(differences, samples=samples, seed=seed)
    low, high = quantiles(rows, confidence)
    return float(differences.mean()), low, high


def sign_flip_p(differences: Sequence[float], *, samples: int = 100_000, seed: int = 0) -> float:
    """Return the two-sided p-value of a permutation test over questions (Fisher 1935).

    Under the null hypothesis the two systems could be exchanged within each question, so each
    difference could have either sign. The p-value is the share of all sign patterns whose sum is at
    least as far from zero as the observed one. It is computed exactly where the differences are
    multiples of a common fraction (such as means over seeds), otherwise from `samples` random
    patterns. With differences of −1, 0 and 1 it equals the exact McNemar test. 1.0 without a
    difference.

    Args:
        differences: b − a of each question, in −1..1; average several seeds within a question.
        samples: random patterns where the exact distribution is too wide.
        seed: of the random patterns.
    """
    values = np.asarray([d for d in differences if d], dtype=np.float64)
    if not len(values):
        return 1.0
    steps = _whole_steps(values)
    if steps is not None:
        # Probability of each sum, by convolution: index i is the sum i − total.
        total = int(np.abs(steps).sum())
        share = np.zeros(2 * total + 1)
        share[total] = 1.0
        for step in np.abs(steps).tolist():
            share = (np.roll(share, step) + np.roll(share, -step)) / 2
        far = np.abs(np.arange(-total, total + 1)) >= abs(int(steps.sum()))
        return min(1.0, float(share[far].sum()))
    rng = np.random.default_rng(seed)
    observed = abs(float(values.sum())) - 1e-9
    reached = 0
    for start in range(0, samples, 1000):
        signs = rng.choice((-1.0, 1.0), size=(min(1000, samples - start), len(values)))
        reached += int((np.abs(signs @ values) >= observed).sum())
    return (reached + 1) / (samples + 1)


def _whole_steps(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64] | None:
    """Return the values as multiples of a common fraction 1/d; None without a small enough d."""
    for parts in range(1, MOST_PARTS + 1):
        steps = np.rint(values * parts)
        if np.abs(values * parts - steps).max() < 1e-6:
            return steps.astype(np.int64) if np.abs(steps).sum() <= WIDEST else None
    return None


def smallest_significant(discordant: int, alpha: float = 0.05) -> int | None:
    """Return the smallest |only_b − only_a| with p < alpha among `discordant` items, or None."""
    for losing in range(discordant // 2, -1, -1):
        if mcnemar_exact(losing, discordant - losing) < alpha:
            return discordant - 2 * losing
    return None


def smallest_detectable(
    n: int,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    discordant: float | None = None,
) -> SmallestDifference:
    """Return the smallest difference that `n` paired items can show.

    `powered` is computed from the exact power of the test: the number of discordant items is
    Binomial(n, d), the number of wins among them Binomial(m, (1 + Δ/d)/2).

    Args:
        n: number of paired items.
        alpha: significance level.
        power: probability with which `powered` is found.
        discordant: share d of items on which the systems differ; None is TYPICAL_DISCORDANT.
    """
    share = TYPICAL_DISCORDANT if discordant is None else discordant
    if n <= 0:
        return SmallestDifference(0, alpha, power, share, None, None, None)
    least = next((m for m in range(1, n + 1) if mcnemar_exact(0, m) < alpha), None)
    seen = smallest_significant(round(n * share), alpha)
    return SmallestDifference(
        n=n,
        alpha=alpha,
        power=power,
        discordant=share,
        at_best=least / n if least is not None else None,
        observed=seen / n if seen is not None else None,
        powered=_powered(n, share, alpha, power),
    )


def _powered(n: int, share: float, alpha: float, power: float) -> float | None:
    """Return the smallest Δ with the given power, to within half a percent of `share`; or None."""
    from scipy.stats import binom

    if share <= 0:
        return None
    counts = np.arange(n + 1)
    weights = binom.pmf(counts, n, share)
    counts, weights = counts[weights > 1e-9], weights[weights > 1e-9]
    # The largest losing count that is still significant, for each number of discordant items.
    losing = binom.ppf(alpha / 2, counts, 0.5).astype(int)
    losing -= 2 * binom.cdf(losing, counts, 0.5) >= alpha

    def reached(win: float) -> bool:
        found = np.where(losing >= 0, binom.cdf(losing, counts, 1 - win), 0.0)
        return bool((weights * found).sum() >= power)

    if not reached(1.0):
        return None
    low, high = 0, 200  # power increases with the share of wins
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached((1 + middle / 200) / 2) else (middle, high)
    return share * high / 200
