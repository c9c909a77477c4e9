"""Confidence against accuracy, in bins of equal width."""

from __future__ import annotations

import pytest

from kofinlaw.rag.choosing.calibration import (
    Bin,
    calibration_bins,
    expected_calibration_error,
)


def test_the_error_is_the_gap_of_each_bin_weighted_by_its_answers() -> None:
    confidence = [0.9, 0.9, 0.95, 0.95, 0.3, 0.3]
    right = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    bins = calibration_bins(confidence, right)
    assert bins == [Bin(2, pytest.approx(0.3), 0.0), Bin(4, pytest.approx(0.925), 0.75)]
    error = expected_calibration_error(confidence, right)
    assert error == pytest.approx((2 * 0.3 + 4 * 0.175) / 6)


def test_perfect_confidence_has_no_error_and_the_bounds_have_bins() -> None:
    assert expected_calibration_error([1.0, 1.0, 0.0], [1.0, 1.0, 0.0]) == 0.0
    assert expected_calibration_error([0.5, 0.5], [1.0, 0.0]) == 0.0
    assert expected_calibration_error([], []) == 0.0


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="1 confidences for 2 answers"):
        calibration_bins([0.5], [1.0, 0.0])
