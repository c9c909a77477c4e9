import numpy as np
import pytest

from kofinlaw.scoring.stats.intervals import blend_figure, mean_figure, wilson


def test_an_interval_is_the_same_for_the_same_seed_and_holds_the_mean():
    values = [0.2, 0.4, 0.9, 0.1, 0.5] * 8
    one, two = (mean_figure(values, samples=2000, seed=5) for _ in range(2))
    assert one == two
    assert one.low < one.value < one.high
    assert mean_figure(values, samples=2000, seed=6) != one


def test_the_binomial_shortcut_has_the_width_of_resampling_items():
    values = np.array([1.0] * 30 + [0.0] * 30)
    fast = mean_figure(list(values), samples=20_000, seed=1)
    rng = np.random.default_rng(2)
    slow = np.quantile(values[rng.integers(0, 60, (20_000, 60))].mean(axis=1), [0.025, 0.975])
    assert [fast.low, fast.high] == pytest.approx(list(slow), abs=0.02)


def test_all_right_is_not_certain():
    figure = mean_figure([1.0] * 12)
    assert (figure.value, figure.high) == (1.0, 1.0)
    assert figure.low == pytest.approx(wilson(12, 12, 0.95)[0])
    assert figure.low == pytest.approx(0.7575, abs=1e-3)  # 1 / (1 + z²/n)


def test_no_values_have_no_figure_and_half_a_blend_is_none():
    assert mean_figure([]) is None
    assert blend_figure([1.0], [], weight=0.5, samples=100, confidence=0.95, seed=0) is None


def test_the_blend_weighs_the_halves_not_the_items():
    figure = blend_figure(
        [1.0] * 50 + [0.0] * 50, [0.3] * 4, weight=0.5, samples=500, confidence=0.95, seed=0
    )
    assert figure.value == pytest.approx(0.4)
    assert figure.low < 0.4 < figure.high
