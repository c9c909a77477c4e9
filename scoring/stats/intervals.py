"""Compute means with percentile bootstrap intervals."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from kofinlaw.scoring.result import Figure

__all__ = ["BLOCK", "blend_figure", "mean_figure", "quantiles", "resampled_means", "wilson"]

BLOCK = 1_000_000  # resampled indices in memory at once


def resampled_means(
    values: npt.NDArray[np.float64], *, samples: int, seed: int
) -> npt.NDArray[np.float64]:
    """Return the means of `samples` resamples of `values`, shape (n,), with shape (samples,)."""
    rng = np.random.default_rng(seed)
    n = len(values)
    if np.isin(values, (0.0, 1.0)).all():
        # The number of ones in a resample of zeros and ones is binomial: same distribution, faster.
        return rng.binomial(n, float(values.mean()), size=samples) / n
    step = max(1, BLOCK // n)
    means = [
        values[rng.integers(0, n, size=(min(step, samples - start), n))].mean(axis=1)
        for start in range(0, samples, step)
    ]
    return np.concatenate(means)


def wilson(successes: float, n: int, confidence: float) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = successes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_figure(
    values: list[float], *, samples: int = 10_000, confidence: float = 0.95, seed: int = 0
) -> Figure | None:
    """Return the mean with its percentile bootstrap interval; None without values.

    If all values are 0, or all are 1, a resampled interval has no width and would claim certainty.
    The interval is then Wilson's.
    """
    if not values:
        return None
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if (array == array[0]).all() and array[0] in (0.0, 1.0):
        low, high = wilson(float(array.sum()), len(array), confidence)
    else:
        means = resampled_means(array, samples=samples, seed=seed)
        low, high = quantiles(means, confidence)
    return Figure(mean, low, high, len(array))


def quantiles(means: npt.NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return the percentile interval of resampled means."""
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def blend_figure(
    choice: list[float],
    free: list[float],
    *,
    weight: float,
    samples: int,
    confidence: float,
    seed: int,
) -> Figure | None:
    """Return weight · mean(choice) + (1 − weight) · mean(free), each kind resampled on its own.

    None unless both kinds were scored, because the contest's figure needs both.
    """
    if not choice or not free:
        return None
    choice_scores = np.asarray(choice, dtype=np.float64)
    free_scores = np.asarray(free, dtype=np.float64)
    means = weight * resampled_means(choice_scores, samples=samples, seed=seed)
    means = means + (1 - weight) * resampled_means(free_scores, samples=samples, seed=seed + 1)
    low, high = quantiles(means, confidence)
    value = weight * float(choice_scores.mean()) + (1 - weight) * float(free_scores.mean())
    return Figure(value, low, high, len(choice) + len(free))
