"""What a scoring may claim."""

import pytest

from kofinlaw.scoring.claims import beats, outcome_of, reduced_plans, unequal_plans


def paired(only_a, only_b, p_value):
    return {
        "n": 60,
        "only_a": only_a,
        "only_b": only_b,
        "p_value": p_value,
        "difference": (only_b - only_a) / 60,
    }


def against(only_system, only_baseline, p_value, difference=None):
    if difference is None:
        difference = (only_system - only_baseline) / 60
    return {
        "only_system": only_system,
        "only_baseline": only_baseline,
        "difference": difference,
        "p_value": p_value,
    }


@pytest.mark.parametrize(
    ("only_a", "only_b", "p_value", "outcome"),
    [
        (5, 20, 0.004, "helped"),
        (20, 5, 0.004, "hurt"),
        (8, 12, 0.5, "unclear"),
        (7, 7, 1.0, "none"),
    ],
)
def test_the_outcome_is_what_the_paired_test_says(only_a, only_b, p_value, outcome):
    assert outcome_of(paired(only_a, only_b, p_value), 0.05) == outcome
    assert outcome_of(None, 0.05) == "unknown"


def test_more_than_one_item_in_a_hundred_under_another_plan_is_not_tested():
    pair = {**paired(5, 20, 0.004), "n": 180, "free_n": 20}
    assert not unequal_plans(pair)
    assert not unequal_plans({**pair, "other_plans": 2})
    assert unequal_plans({**pair, "other_plans": 3})
    assert outcome_of({**pair, "other_plans": 2}, 0.05) == "helped"
    assert outcome_of({**pair, "other_plans": 3}, 0.05) == "unequal"


def test_a_gain_needs_a_significant_lead_over_the_best_baseline():
    gain = paired(5, 20, 0.004)
    assert outcome_of(gain, 0.05, against(20, 5, 0.004)) == "helped"
    assert outcome_of(gain, 0.05, against(12, 8, 0.5)) == "no-claim"
    assert outcome_of(gain, 0.05, against(5, 20, 0.004)) == "no-claim"
    assert outcome_of(paired(20, 5, 0.004), 0.05, against(5, 20, 0.004)) == "hurt"


def test_a_lead_that_only_the_broken_ties_give_is_none():
    assert not beats(against(20, 5, 0.004, difference=-0.01), 0.05)


@pytest.mark.parametrize(
    ("plans", "reduced"),
    [
        ({"full": 99, "half-context": 1}, {}),
        ({"full": 98, "half-context": 1, "label-only": 1}, {"half-context": 1, "label-only": 1}),
        ({}, {}),
    ],
)
def test_more_than_one_answer_in_a_hundred_under_another_plan_counts(plans, reduced):
    assert reduced_plans({"plans": plans}) == reduced
