import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.scoring.stats.paired import (
    holm,
    mcnemar_exact,
    paired_difference,
    sign_flip_p,
    smallest_detectable,
    smallest_significant,
)


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_mcnemar_is_scipys_binomial_test(only_a, only_b):
    from scipy.stats import binomtest

    expected = binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
    assert mcnemar_exact(only_a, only_b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [(48, 42, 0.60), (60, 37, 0.025), (64, 35, 0.005), (61, 28, 0.001), (18, 12, 0.36)],
)
def test_mcnemar_gives_the_published_comparisons_of_contest_submissions(a, b, p):
    assert mcnemar_exact(a, b) == pytest.approx(p, abs=0.006)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_the_permutation_test_of_right_and_wrong_is_mcnemars(only_a, only_b, same):
    values = [-1.0] * only_a + [1.0] * only_b + [0.0] * same
    assert sign_flip_p(values) == pytest.approx(mcnemar_exact(only_a, only_b), rel=1e-9)


@given(st.lists(st.sampled_from([-1, -2 / 3, -0.5, -1 / 3, 0, 0.25, 1 / 3, 1]), max_size=9))
@settings(max_examples=40, deadline=None)
def test_the_permutation_test_counts_every_pattern_of_signs(values):
    observed = abs(sum(values)) - 1e-9
    patterns = list(itertools.product((1, -1), repeat=len(values)))
    far = sum(
        abs(sum(s * v for s, v in zip(one, values, strict=True))) >= observed for one in patterns
    )
    assert sign_flip_p(values) == pytest.approx(far / len(patterns), abs=1e-9)


def test_a_wide_distribution_is_sampled_close_to_the_exact_one():
    values = [math.sqrt(n) / 10 * (-1) ** (n // 3) for n in range(1, 13)]
    patterns = list(itertools.product((1, -1), repeat=len(values)))
    sums = [abs(sum(s * v for s, v in zip(one, values, strict=True))) for one in patterns]
    exact = sum(total >= abs(sum(values)) - 1e-9 for total in sums) / len(sums)
    assert sign_flip_p(values) == pytest.approx(exact, abs=0.01)
    assert sign_flip_p(values) == sign_flip_p(values)
    assert sign_flip_p([]) == sign_flip_p([0.0]) == 1.0


def test_holm_multiplies_step_by_step_and_never_falls():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_paired_difference_keeps_pairs_together():
    a, b = [0.0, 1.0] * 20, [0.5, 1.5] * 20
    assert paired_difference(a, b, samples=100, confidence=0.95, seed=0) == (0.5, 0.5, 0.5)


def test_the_smallest_significant_difference_is_at_the_edge():
    for discordant in range(0, 60):
        found = smallest_significant(discordant)
        if found is None:
            assert mcnemar_exact(0, discordant) >= 0.05
            continue
        losing = (discordant - found) // 2
        assert mcnemar_exact(losing, discordant - losing) < 0.05
        assert (
            losing == discordant // 2 or mcnemar_exact(losing + 1, discordant - losing - 1) >= 0.05
        )


def test_sixty_items_show_ten_points_at_the_very_best():
    found = smallest_detectable(60)
    assert found.at_best == 6 / 60  # 2 · ½⁶ = .031 is the first below .05
    assert found.observed == smallest_significant(12) / 60
    assert smallest_detectable(0).at_best is None
    assert smallest_detectable(4).at_best is None


def test_the_powered_difference_is_found_as_often_as_promised():
    n, share = 120, 0.3
    found = smallest_detectable(n, discordant=share)
    rng = np.random.default_rng(0)
    counts = rng.binomial(n, share, 4000)
    wins = rng.binomial(counts, (1 + found.powered / share) / 2)
    power = np.mean(
        [mcnemar_exact(int(m - w), int(w)) < 0.05 for m, w in zip(counts, wins, strict=True)]
    )
    assert power == pytest.approx(0.8, abs=0.03)
    assert smallest_detectable(480, discordant=share).powered < found.powered
