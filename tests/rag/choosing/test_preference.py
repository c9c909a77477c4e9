"""Votes become probabilities: standardised, weighted, turned once, without position or length."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.preference import (
    BEARING_FROM,
    GATES,
    MODEL_VOTERS,
    Vote,
    Weights,
    gate_values,
    option_probabilities,
    preferences,
    standardised,
)

VOTES: list[Vote] = [
    {"voter": "contrast", "values": [0.5, -0.1, 0.2, 0.0]},
    {"voter": "evidence", "values": [0.1, 0.4, 0.2, 0.1]},
]
TEXTS = ["3일", "5일 이내에 보고", "10일", "30일"]


def test_the_recipe_and_the_weights_have_one_default() -> None:
    assert AnswerSettings().bearing_from == BEARING_FROM == Weights({}).bearing_from


def test_values_have_mean_zero_and_deviation_one() -> None:
    values = standardised([3.0, 1.0, 2.0, 10.0])
    assert sum(values) == pytest.approx(0.0)
    assert math.sqrt(sum(v * v for v in values) / 4) == pytest.approx(1.0)
    assert standardised([2.0, 2.0, 2.0]) == [0.0, 0.0, 0.0]
    assert standardised([0.1 + 0.2, 0.3, 0.3]) == [0.0, 0.0, 0.0]


def test_a_negative_stem_turns_the_order_and_nothing_else() -> None:
    weights = Weights({"contrast": 1.0, "evidence": 0.5})
    positive = preferences(VOTES, weights, negative=False)
    negative = preferences(VOTES, weights, negative=True)
    assert negative == [-value for value in positive]
    assert positive.index(max(positive)) == negative.index(min(negative)) == 0


def test_only_voters_with_a_weight_count() -> None:
    alone = preferences(VOTES, Weights({"evidence": 2.0}), negative=False)
    assert alone == [2.0 * value for value in standardised(VOTES[1]["values"])]
    assert preferences(VOTES[:1], Weights({"evidence": 2.0}), negative=False) == standardised(
        VOTES[0]["values"]
    )


def test_options_in_another_order_get_the_same_probabilities() -> None:
    weights = Weights({"contrast": 1.0, "evidence": 0.5})
    given = option_probabilities(preferences(VOTES, weights, negative=True), TEXTS)
    for order in itertools.permutations(range(4)):
        moved: list[Vote] = [
            {"voter": v["voter"], "values": [v["values"][i] for i in order]} for v in VOTES
        ]
        preferred = preferences(moved, weights, negative=True)
        found = option_probabilities(preferred, [TEXTS[i] for i in order])
        assert found == pytest.approx([given[i] for i in order], abs=2e-8)


def test_a_tie_depends_neither_on_position_nor_on_length() -> None:
    chosen = set()
    for order in itertools.permutations(TEXTS):
        found = option_probabilities([0.0] * 4, order)
        assert sum(value == max(found) for value in found) == 1
        chosen.add(order[found.index(max(found))])
    assert len(chosen) == 1


def test_a_higher_temperature_is_less_confident() -> None:
    cold = option_probabilities([1.0, 0.0], ["가", "나"], 0.5)
    warm = option_probabilities([1.0, 0.0], ["가", "나"], 5.0)
    assert cold[0] > warm[0] > 0.5
    assert sum(cold) == pytest.approx(1.0)


def test_a_gate_changes_the_weight_of_its_voter_within_bounds() -> None:
    votes: list[Vote] = [
        {"voter": "contrast", "values": [0.0, 2.0]},
        {"voter": "overlap", "values": [0.9, 0.3]},
    ]
    gates = gate_values(votes, 0.5)
    assert gates == {"bearing": 0.5, "level": 0.9, "spread": 1.0}
    weights = Weights({"overlap": 1.0}, {"overlap": {"bearing": 0.5}}, {"bearing": (0.3, 0.1)})
    assert weights.of("overlap", gates) == pytest.approx(2.0)
    assert weights.of("overlap", {**gates, "bearing": 0.9}) == pytest.approx(2.0)
    assert weights.of("overlap", {**gates, "bearing": 0.25}) == pytest.approx(0.75)
    assert weights.of("contrast", gates) == 0.0
    preferred = preferences(votes, weights, negative=False, bearing=0.3)
    assert preferred == pytest.approx([1.0, -1.0])
    assert weights.names == {"overlap"}


def test_small_differences_of_reading_count_little() -> None:
    weights = Weights({"overlap": 1.0, "reading": 1.0})
    far = [Vote(voter="overlap", values=[0.1, 0.2]), Vote(voter="reading", values=[0.9, 0.1])]
    near = [Vote(voter="overlap", values=[0.1, 0.2]), Vote(voter="reading", values=[0.2, 0.19])]
    first, second = preferences(far, weights, negative=False)
    assert first > second
    first, second = preferences(near, weights, negative=False)
    assert first < second


def test_other_weights_count_where_the_evidence_does_not_bear_on_the_question() -> None:
    weights = Weights({"contrast": 1.0}, unrelated={"evidence": 1.0}, bearing_from=0.5)
    near = preferences(VOTES, weights, negative=False, bearing=0.5)
    far = preferences(VOTES, weights, negative=False, bearing=0.49)
    assert near == standardised(VOTES[0]["values"])
    assert far == standardised(VOTES[1]["values"])
    assert weights.names == {"contrast", "evidence"}


VOTERS = ("contrast", "evidence", "likelihood", "reading", "overlap")
WEIGHTS = st.dictionaries(st.sampled_from(VOTERS), st.sampled_from([0.0, 0.3, -1.0]), max_size=5)


@given(
    WEIGHTS,
    WEIGHTS,
    st.dictionaries(
        st.sampled_from(VOTERS),
        st.dictionaries(st.sampled_from(GATES), st.sampled_from([0.0, 0.5])),
        max_size=2,
    ),
    st.sampled_from([0.2, 0.8]),
    st.booleans(),
    st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=5, max_size=5),
)
def test_what_the_model_does_not_score_changes_no_preference(
    voters: dict[str, float],
    unrelated: dict[str, float],
    gated: dict[str, dict[str, float]],
    bearing: float,
    shown: bool,
    values: list[list[float]],
) -> None:
    gates = dict.fromkeys(GATES, (0.5, 0.3))
    weights = Weights(voters, gated, gates, unrelated=unrelated)
    votes: list[Vote] = [
        {"voter": voter, "values": row} for voter, row in zip(VOTERS, values, strict=True)
    ]
    if not shown:  # nothing is known about evidence
        votes = [v for v in votes if v["voter"] in ("contrast", "likelihood")]
    needed = weights.model_voters(bearing, shown=shown) | {"likelihood"}
    kept = [v for v in votes if v["voter"] in needed or v["voter"] not in MODEL_VOTERS]
    all_of, some_of = (
        preferences(given, weights, negative=False, bearing=bearing) for given in (votes, kept)
    )
    if any(weights.of(v["voter"], gate_values(votes, bearing)) for v in votes):
        assert some_of == pytest.approx(all_of)


def test_without_any_weight_the_contrast_is_needed() -> None:
    assert Weights({}).model_voters(0.9, shown=True) == {"contrast"}
    assert Weights({"evidence": 1.0}).model_voters(0.9, shown=False) == {"contrast"}
    assert Weights({"reading": 1.0}).model_voters(0.9, shown=True) == set()
    gated = Weights({"evidence": 1.0}, {"evidence": {"spread": 0.2}}, {"spread": (0.0, 1.0)})
    assert gated.model_voters(0.9, shown=True) == {"contrast", "evidence"}
