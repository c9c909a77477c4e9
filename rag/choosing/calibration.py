"""Measure how well confidence agrees with accuracy: the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BINS", "Bin", "calibration_bins", "expected_calibration_error"]

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in one interval: how many, and two means (0..1)."""

    n: int
    confidence: float
    right: float


def calibration_bins(confidence: Sequence[float], right: Sequence[float]) -> list[Bin]:
    """Return the non-empty of ten bins of equal width (Guo et al. 2017), from the least confident.

    Args:
        confidence: of each answer, 0..1.
        right: whether each answer is right: 1 or 0, or a shared credit between them.

    Raises ValueError for lists of different lengths.
    """
    if len(confidence) != len(right):
        raise ValueError(f"{len(confidence)} confidences for {len(right)} answers")
    rows: list[list[tuple[float, float]]] = [[] for _ in range(BINS)]
    for sure, good in zip(confidence, right, strict=True):
        rows[min(max(int(sure * BINS), 0), BINS - 1)].append((sure, good))
    return [
        Bin(len(row), sum(c for c, _ in row) / len(row), sum(r for _, r in row) / len(row))
        for row in rows
        if row
    ]


def expected_calibration_error(confidence: Sequence[float], right: Sequence[float]) -> float:
    """Return the mean gap between confidence and accuracy of the bins, weighted by answers (0..1).

    It is 0 without any answer.
    """
    bins = calibration_bins(confidence, right)
    gaps = sum(one.n * abs(one.right - one.confidence) for one in bins)
    return gaps / max(sum(one.n for one in bins), 1)
