"""The bounds of the rate of wrong examples: exact errors of stopping, unclear ones, small kinds."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.augment.review.sequential import ERROR, RateBounds, most_allowed, rate_bounds

VERDICTS = st.lists(st.sampled_from(["right", "wrong", "unclear"]), max_size=40)


def stopping(population, true, most_read):
    """Return the exact probabilities of (shown, refuted) and the expected number of reads.

    Dynamic programming over (read, wrong): the order of the outcomes decides nothing else before
    the first stop, because a state that stopped is left.
    """
    weights, shown, refuted, reads = {(): 1.0}, 0.0, 0.0, 0.0
    for read in range(most_read + 1):
        merged: dict[int, tuple[tuple[str, ...], float]] = {}
        for outcomes, weight in weights.items():
            wrong = outcomes.count("wrong")
            kept, before = merged.get(wrong, (outcomes, 0.0))
            merged[wrong] = (kept, before + weight)
        weights = {}
        for wrong, (outcomes, weight) in merged.items():
            verdict = rate_bounds(population, outcomes).verdict
            if verdict != "open" or read == most_read:
                shown += weight * (verdict == "shown")
                refuted += weight * (verdict == "refuted")
                reads += weight * read
                continue
            chance = (true - wrong) / (population - read)
            for outcome, share in (("wrong", chance), ("right", 1 - chance)):
                if share > 0:
                    weights[(*outcomes, outcome)] = weight * share
    return shown, refuted, reads


@pytest.mark.parametrize("population", [60, 100])
def test_a_false_statement_is_at_most_as_likely_as_the_stated_error(population):
    allowed = most_allowed(population)
    for true in sorted({0, allowed, allowed + 1, allowed + 3}):
        shown, refuted, _ = stopping(population, true, population)
        assert shown + refuted == pytest.approx(1)  # after the last example the number is known
        wrong = refuted if true <= allowed else shown
        assert wrong <= ERROR
    nearest, _, _ = stopping(population, allowed + 1, population)
    assert nearest > ERROR / 2  # the bound is not far from exact: reading is not wasted


def test_reading_stops_early_where_the_rate_is_clear():
    shown, _, reads = stopping(100, 0, 100)
    assert (shown, reads) == (1, 68)
    _, refuted, reads = stopping(100, 20, 100)
    assert refuted == pytest.approx(1)
    assert reads < 13


def test_the_counts_and_bounds_of_a_short_sample():
    assert rate_bounds(100, []) == RateBounds(100, 0, 0, 0, 0, 100, "open", 0)
    found = rate_bounds(100, ["right"] * 68)
    assert (found.most, found.verdict, found.decided_at) == (2, "shown", 68)
    assert rate_bounds(100, ["right"] * 67).verdict == "open"
    found = rate_bounds(100, ["right"] * 30 + ["wrong"] * 3)
    assert (found.verdict, found.decided_at) == ("refuted", 33)  # 3 of 100 are more than 2 %


def test_a_verdict_keeps_the_number_of_reads_that_decided_it():
    found = rate_bounds(100, ["right"] * 90)
    assert (found.verdict, found.decided_at, found.read) == ("shown", 68, 90)


def test_a_kind_that_was_read_completely_is_known_exactly():
    found = rate_bounds(30, ["right"] * 29 + ["wrong"])
    assert (found.least, found.most) == (1, 1)
    assert found.verdict == "refuted"  # though 29 right ones had shown 0 of 30
    assert rate_bounds(1, ["right"]).verdict == "shown"


def test_an_empty_kind_has_no_wrong_example():
    assert rate_bounds(0, []) == RateBounds(0, 0, 0, 0, 0, 0, "shown", 0)


def test_more_outcomes_than_examples_are_refused():
    with pytest.raises(ValueError, match="3 outcomes of 2 examples"):
        rate_bounds(2, ["right"] * 3)


@given(VERDICTS, st.integers(0, 60))
def test_bounds_always_hold_what_is_certain(outcomes, more):
    population = len(outcomes) + more
    found = rate_bounds(population, outcomes)
    assert found.wrong <= found.least <= found.most <= population - outcomes.count("right")
    assert (found.read, found.unclear) == (len(outcomes), outcomes.count("unclear"))


def test_an_unclear_example_counts_against_both_statements():
    right, unclear = ["right"] * 68, ["unclear"]
    assert rate_bounds(100, [*unclear, *right]).verdict == "open"
    assert rate_bounds(100, [*unclear, *right]).most == rate_bounds(100, ["wrong", *right]).most
    assert rate_bounds(100, ["unclear"] * 20).verdict == "open"
    assert rate_bounds(100, ["unclear"] * 20).least == 0
    assert rate_bounds(100, ["wrong"] * 20).verdict == "refuted"


def test_the_true_number_is_rarely_outside_of_bounds_that_are_looked_at_after_every_read():
    rng, missed, trials = random.Random(7), 0, 100
    for _ in range(trials):
        population, true = 50, rng.choice([0, 1, 3, 10])
        outcomes = ["wrong"] * true + ["right"] * (population - true)
        rng.shuffle(outcomes)
        found = [rate_bounds(population, outcomes[:read]) for read in range(0, 50, 5)]
        missed += any(not one.least <= true <= one.most for one in found)
    assert missed / trials <= 2 * ERROR
