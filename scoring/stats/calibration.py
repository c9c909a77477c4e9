"""Compare the confidence of multiple-choice answers with how often they are right."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.rag.choosing.calibration import calibration_bins, expected_calibration_error
from kofinlaw.scoring.result import Item
from kofinlaw.scoring.scores_record import CalibrationRecord

__all__ = ["calibration_figures"]


def calibration_figures(items: Sequence[Item]) -> CalibrationRecord | None:
    """Return the calibration of the model's multiple-choice answers; None without any.

    Fallback answers have no confidence of the model, so they do not count.
    """
    rated = [
        (item.confidence, item.score)
        for item in items
        if item.kind == "choice"
        and item.origin != "fallback"
        and item.confidence is not None
        and item.score is not None
    ]
    if not rated:
        return None
    confidence, right = [c for c, _ in rated], [r for _, r in rated]
    return {
        "n": len(rated),
        "error": round(expected_calibration_error(confidence, right), 6),
        "confidence": round(sum(confidence) / len(rated), 6),
        "right": round(sum(right) / len(rated), 6),
        "bins": [
            {"n": b.n, "confidence": round(b.confidence, 6), "right": round(b.right, 6)}
            for b in calibration_bins(confidence, right)
        ],
    }
