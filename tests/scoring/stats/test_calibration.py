"""Calibration of multiple-choice answers: the model's own, fallback answers left out."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from kofinlaw.scoring.stats.calibration import calibration_figures


@dataclass
class Rated:
    """The fields of an item that are read here."""

    confidence: float | None
    score: float | None
    kind: str = "choice"
    origin: str = "model"


def test_only_the_models_choices_with_a_confidence_count() -> None:
    items = [
        Rated(0.8, 1.0),
        Rated(0.8, 0.0),
        Rated(0.0, 0.0, origin="fallback"),
        Rated(None, 1.0),
        Rated(0.9, 0.4, kind="free"),
    ]
    found = calibration_figures(items)  # type: ignore[arg-type]
    assert found is not None
    assert (found["n"], found["right"], found["confidence"]) == (2, 0.5, 0.8)
    assert found["error"] == pytest.approx(0.3)
    assert found["bins"] == [{"n": 2, "confidence": 0.8, "right": 0.5}]


def test_without_choices_there_are_no_figures() -> None:
    assert calibration_figures([]) is None
    assert calibration_figures([Rated(0.9, 0.4, kind="free")]) is None  # type: ignore[list-item]
