"""Fusion by relative score and by rank."""

from __future__ import annotations

import numpy as np
import pytest

from kofinlaw.rag.fusion import Ranked, fuse


def ranked(by: str, rows: list[int], scores: list[float], weight: float = 1.0) -> Ranked:
    return Ranked(by, np.array(rows), np.array(scores), weight)


def test_relative_score_is_weavates_min_max_sum() -> None:
    fused = fuse(
        [ranked("a", [0, 1, 2], [3.0, 2.0, 1.0], 0.3), ranked("b", [2, 1], [0.9, 0.5], 0.7)]
    )
    assert [(row, round(score, 6)) for row, score, _ in fused] == [
        (2, 0.7),
        (0, 0.3),
        (1, 0.15),
    ]
    assert fused[0][2] == ("a", "b")


def test_ranked_fusion_adds_weighted_inverse_ranks() -> None:
    fused = fuse([ranked("a", [5, 7], [9.0, 1.0]), ranked("b", [7], [1.0])], "ranked")
    assert fused[0][0] == 7
    assert fused[0][1] == pytest.approx(0.5 / 62 + 0.5 / 61)


def test_equal_scores_all_count_as_best() -> None:
    assert [score for _, score, _ in fuse([ranked("a", [3, 1], [2.0, 2.0])])] == [1.0, 1.0]
    assert fuse([ranked("a", [], [])]) == []
