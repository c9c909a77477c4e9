"""Define the record of answers under forced evidence, as `scores.json` holds it."""

from __future__ import annotations

from typing import Literal, TypedDict

__all__ = [
    "COVERAGES",
    "REQUIRED",
    "AbstentionRecord",
    "AbstentionRow",
    "DifferenceRecord",
    "Part",
    "SystemCurve",
]

Part = Literal["choice", "free"]
COVERAGES = (0.25, 0.5, 0.75, 1.0)
"""The coverages at which the page states the risk."""
REQUIRED = ("partial", "none")
"""The kinds of evidence under which the trained model must not be worse than the base."""


class SystemCurve(TypedDict):
    """One model under one kind of evidence.

    - `n`: questions; `answered`: those that it did not refuse; `refused`: the others;
    - `risk`: mean loss of the answered ones (0 right, 1 wrong; free text 1 − key facts);
    - `aurc`: mean risk over all coverages that it reaches; `optimal`: the smallest possible one;
    - `confident_wrong`: share of all questions, answered wrongly with at least the threshold;
    - `risk_at`: risk at each of COVERAGES (None where it answers fewer questions);
    - `curve`: points (coverage, risk).
    """

    n: int
    answered: int
    refused: int
    risk: float | None
    aurc: float | None
    optimal: float | None
    confident_wrong: float | None
    risk_at: list[float | None]
    curve: list[tuple[float, float]]


class DifferenceRecord(TypedDict):
    """Mean risk of the trained model minus that of the base at equal coverage.

    `low` and `high` are the paired bootstrap interval; `covered` is the largest common coverage.
    `risk_at` are the differences at each of COVERAGES.
    """

    value: float
    low: float
    high: float
    covered: float
    risk_at: list[float | None]


class AbstentionRow(TypedDict):
    """One kind of evidence and one kind of question, with the curves by model.

    `difference` is None unless both models answered. `meets` says whether the trained model is
    not worse than the base; it is None where that is not required.
    """

    evidence: str
    part: Part
    systems: dict[str, SystemCurve]
    difference: DifferenceRecord | None
    meets: bool | None


class AbstentionRecord(TypedDict):
    """All rows; `threshold` is the confidence from which a wrong answer is a confident one."""

    threshold: float
    coverages: list[float]
    rows: list[AbstentionRow]
