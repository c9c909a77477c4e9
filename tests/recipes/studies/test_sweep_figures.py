"""The figures of a sweep: smoothing, Pareto marks and the conclusion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.recipes.studies.sweep_figures import compared, conclusion, read_point, smoothed


def test_the_published_study_gives_its_own_conclusion(published):
    chosen = conclusion(published)
    assert chosen["best_loss"].keys["train.lora.rank"] == "256"
    assert chosen["best_value"].keys["train.lora.rank"] == "128"
    assert chosen["least_memory"].keys["train.lora.rank"] == "8"
    points, level = compared(published)
    assert level == 1.72
    assert all(point.pareto for point in points)
    assert [point.steps_to_level for point in points] == [3, 3, 3]


def test_steps_to_a_level_are_counted_on_the_held_out_loss_where_there_is_one(figures):
    slow = figures(4, 1.3, 9, 1, losses=[3.0, 0.5, 2.0], evaluations=[(12, 2.0), (38, 1.3)])
    fast = figures(64, 0.5, 9, 1, losses=[3.0, 0.5, 1.0], evaluations=[(12, 1.2), (38, 0.5)])
    points, level = compared([slow, fast])
    assert level == 1.3
    assert [point.steps_to_level for point in points] == [38, 12]


@given(st.lists(st.tuples(*[st.integers(1, 5)] * 3), min_size=1, max_size=8))
def test_pareto_marks_are_those_that_nothing_beats(figures, costs):
    points, _ = compared([figures(8, float(a), float(b), float(c)) for a, b, c in costs])
    for point, cost in zip(points, costs, strict=True):
        beaten = any(
            all(x <= y for x, y in zip(other, cost, strict=True)) and other != cost
            for other in costs
        )
        assert point.pareto == (not beaten)
    assert any(point.pareto for point in points)


def test_smoothing_looks_back_only():
    losses = [float(20 - step) for step in range(20)]
    assert smoothed(losses)[:3] == [20.0, 19.5, 18.5]
    assert smoothed([5.0]) == [5.0]


def test_a_point_without_training_is_refused(tmp_path):
    with pytest.raises(UserError, match="no complete training"):
        read_point((("train.lora.rank", "8"),), tmp_path)
