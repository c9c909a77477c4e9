"""Compute risk–coverage curves: how often the most confident answers of a system are wrong.

Coverage k/n keeps the k most confident of n questions; risk is the mean loss of the kept ones.
AURC is the mean risk over all coverages (Geifman, Uziel and El-Yaniv 2019, "Bias-reduced
uncertainty estimation for deep neural classifiers"). Answers with equal confidence are kept in
random order: every figure is the expected one, so neither the order of the file nor a strictly
increasing change of the confidences changes it. A refused question has no confidence (NaN): it is
never kept, and coverage ends before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "MOST_SAMPLES",
    "AurcDifference",
    "aurc",
    "confident_wrong",
    "optimal_aurc",
    "paired_aurc_difference",
    "risk_at",
    "risks",
]

MOST_SAMPLES = 2_000  # bootstrap resamples of a difference; each sorts all questions twice

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AurcDifference:
    """Mean risk of `b` minus that of `a` over the coverages that both reach, with its interval.

    `covered` is the largest common coverage, 0..1. It is 0, and the difference 0, if one of the
    systems refuses every question.
    """

    value: float
    low: float
    high: float
    covered: float


def risks(confidences: Sequence[float] | Floats, losses: Sequence[float] | Floats) -> Floats:
    """Return the expected risk of keeping the 1, 2, … most confident answers, shape (answered,).

    Raises ValueError if the lengths differ.

    Args:
        confidences: one a question; NaN for a refused question.
        losses: 0 (right) to 1 (wrong), one a question.
    """
    scores = np.asarray(confidences, dtype=np.float64)
    costs = np.asarray(losses, dtype=np.float64)
    if scores.shape != costs.shape:
        raise ValueError(f"{len(scores)} confidences for {len(costs)} losses")
    kept = ~np.isnan(scores)
    scores, costs = scores[kept], costs[kept]
    if not len(scores):
        return np.empty(0)
    order = np.argsort(-scores, kind="stable")
    scores, totals = scores[order], np.cumsum(costs[order])
    # Within a group of equal confidence the expected total rises linearly.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) + 1
    counts = np.arange(1, len(scores) + 1)
    expected = np.interp(counts, np.append(0, ends), np.append(0.0, totals[ends - 1]))
    return expected / counts


def aurc(confidences: Sequence[float] | Floats, losses: Sequence[float] | Floats) -> float | None:
    """Return the mean risk over all coverages of the answered questions; None if all are refused.

    0 is best; a confidence that says nothing gives the mean loss.
    """
    curve = risks(confidences, losses)
    return float(curve.mean()) if len(curve) else None


def optimal_aurc(losses: Sequence[float] | Floats) -> float | None:
    """Return the AURC of the order by loss, the smallest that any confidence can reach."""
    costs = np.asarray(losses, dtype=np.float64)
    return aurc(-costs, costs)


def risk_at(curve: Sequence[float] | Floats, n: int, coverage: float) -> float | None:
    """Return the risk at a coverage of `n` questions; None where the curve does not reach it.

    Args:
        curve: from `risks`.
        n: all questions, with refused ones.
        coverage: 0 to 1; at least one answer is kept.
    """
    count = max(1, round(coverage * n))
    return float(curve[count - 1]) if n and count <= len(curve) else None


def confident_wrong(
    confidences: Sequence[float] | Floats, losses: Sequence[float] | Floats, threshold: float
) -> float | None:
    """Return the share of all questions answered wrongly (loss at least ½) with at least this
    confidence; None without questions.
    """
    scores = np.asarray(confidences, dtype=np.float64)
    costs = np.asarray(losses, dtype=np.float64)
    if not len(scores):
        return None
    return float(((costs >= 0.5) & (np.nan_to_num(scores, nan=-1.0) >= threshold)).mean())


def paired_aurc_difference(
    a: tuple[Sequence[float], Sequence[float]],
    b: tuple[Sequence[float], Sequence[float]],
    *,
    samples: int,
    confidence: float,
    seed: int,
) -> AurcDifference:
    """Return the difference of mean risk at equal coverage, `b` − `a`, with a paired bootstrap.

    The interval is the percentile interval over resamples of questions, the two systems together.
    At most MOST_SAMPLES resamples are drawn.

    Args:
        a: confidences and losses of one system by question.
        b: those of the other system on the same questions.
        samples: number of resamples.
        confidence: of the interval, 0..1.
        seed: of the resamples.
    """
    first = [np.asarray(values, dtype=np.float64) for values in a]
    second = [np.asarray(values, dtype=np.float64) for values in b]
    n = len(first[0])
    value, common = _difference(first, second)
    if not common:
        return AurcDifference(0.0, 0.0, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(min(samples, MOST_SAMPLES)):
        rows = rng.integers(0, n, size=n)
        drawn.append(_difference([x[rows] for x in first], [x[rows] for x in second])[0])
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return AurcDifference(value, float(low), float(high), common / n)


def _difference(a: Sequence[Floats], b: Sequence[Floats]) -> tuple[float, int]:
    """Return (mean risk of b minus that of a over the common counts, the largest of these)."""
    one, two = risks(a[0], a[1]), risks(b[0], b[1])
    common = min(len(one), len(two))
    return (float((two[:common] - one[:common]).mean()) if common else 0.0), common
