import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.scoring.stats.risk_coverage import (
    aurc,
    confident_wrong,
    optimal_aurc,
    paired_aurc_difference,
    risk_at,
    risks,
)

losses_of = st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=1, max_size=12)
pairs_of = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=1,
    max_size=7,
)


def compare(a, b):
    return paired_aurc_difference(a, b, samples=300, confidence=0.95, seed=3)


@given(st.integers(0, 15), st.integers(0, 15))
def test_the_perfect_order_reaches_the_known_minimum(right, wrong):
    n = right + wrong
    losses = [0.0] * right + [1.0] * wrong
    confidences = [1 - i / (n + 1) for i in range(n)]
    if not n:
        assert aurc(confidences, losses) is None
        return
    expected = sum((k - right) / k for k in range(right + 1, n + 1)) / n
    assert aurc(confidences, losses) == pytest.approx(expected)
    assert optimal_aurc(losses) == pytest.approx(expected)


@given(losses_of)
def test_a_constant_confidence_gives_the_mean_loss_at_every_coverage(losses):
    curve = risks([0.7] * len(losses), losses)
    assert curve == pytest.approx(np.full(len(losses), np.mean(losses)))


@settings(max_examples=60, deadline=None)
@given(pairs_of)
def test_ties_are_the_mean_over_every_order_of_the_tied_answers(pairs):
    confidences, losses = zip(*pairs, strict=True)
    expected, count = np.zeros(len(pairs)), 0
    for order in itertools.permutations(range(len(pairs))):
        if all(confidences[a] >= confidences[b] for a, b in itertools.pairwise(order)):
            expected += np.cumsum([losses[i] for i in order]) / np.arange(1, len(pairs) + 1)
            count += 1
    assert risks(confidences, losses) == pytest.approx(expected / count)


@given(pairs_of, st.randoms(use_true_random=False))
def test_neither_order_nor_scale_of_the_confidences_matters(pairs, random):
    confidences, losses = zip(*pairs, strict=True)
    curve = risks(confidences, losses)
    shuffled = list(pairs)
    random.shuffle(shuffled)
    mixed, costs = zip(*shuffled, strict=True)
    assert risks(mixed, costs) == pytest.approx(curve)
    assert risks([math.log(c) * 3 + 1 for c in confidences], losses) == pytest.approx(curve)


@given(pairs_of)
def test_no_confidence_beats_the_order_by_loss(pairs):
    confidences, losses = zip(*pairs, strict=True)
    area, best = aurc(confidences, losses), optimal_aurc(losses)
    assert area is not None
    assert best is not None
    assert best <= area + 1e-12
    assert 0 <= area <= 1


@given(pairs_of, st.integers(0, 5))
def test_refused_questions_shorten_the_curve_and_change_nothing_else(pairs, refused):
    confidences, losses = zip(*pairs, strict=True)
    more = [*confidences, *[math.nan] * refused], [*losses, *[1.0] * refused]
    assert risks(*more) == pytest.approx(risks(confidences, losses))
    n = len(pairs) + refused
    assert (risk_at(risks(*more), n, 1.0) is None) == (refused > 0)


def test_risk_at_a_coverage():
    curve = risks([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1])
    assert risk_at(curve, 4, 0.5) == 0.5
    assert risk_at(curve, 4, 0.01) == 0  # one answer is always kept
    assert risk_at(curve, 4, 1.0) == 0.5
    assert risk_at(curve, 8, 1.0) is None
    assert risk_at(np.empty(0), 0, 1.0) is None
    with pytest.raises(ValueError, match="2 confidences for 1 losses"):
        risks([0.1, 0.2], [1])


def test_confident_wrong_answers_are_a_share_of_all_questions():
    confidences, losses = [0.9, 0.9, 0.2, math.nan], [1.0, 0.0, 1.0, 1.0]
    assert confident_wrong(confidences, losses, 0.5) == 0.25
    assert confident_wrong(confidences, losses, 0.95) == 0
    assert confident_wrong([], [], 0.5) is None


def test_the_difference_at_equal_coverage():
    good = [0.9, 0.8, 0.7, 0.6] * 20, [0.0, 0.0, 1.0, 1.0] * 20
    bad = [0.6, 0.7, 0.8, 0.9] * 20, [0.0, 0.0, 1.0, 1.0] * 20
    found = compare(good, bad)
    assert found.value > 0
    assert found.low > 0
    assert found.covered == 1
    turned = compare(bad, good)
    assert turned.value == pytest.approx(-found.value)
    assert turned.high < 0
    same = compare(good, good)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_a_system_that_refuses_is_compared_where_it_answers():
    answers = [0.9] * 10, [1.0] * 10
    half = [0.9] * 5 + [math.nan] * 5, [0.0] * 5 + [1.0] * 5
    found = compare(answers, half)
    assert found.covered == 0.5
    assert found.value == -1
    nothing = compare(answers, ([math.nan] * 10, [1.0] * 10))
    assert (nothing.value, nothing.covered) == (0, 0)
