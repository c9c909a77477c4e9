"""The exact beam search over choices: values, ties and samples."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.models.engines.base import ChoiceScore, Request
from kofinlaw.models.engines.beam_choice import beam_values, chosen_beam

CHOICES = ("가", "나", "다")


def scores(*values: float) -> list[ChoiceScore]:
    return [ChoiceScore(value, 3) for value in values]


def asked(weight: float, temperature: float = 0.0, seed: int = 0) -> Request:
    return Request(
        "질문",
        choices=CHOICES,
        reference="정답:",
        reference_weight=weight,
        temperature=temperature,
        seed=seed,
    )


def test_the_reference_is_subtracted_by_its_weight_and_equal_values_give_the_first() -> None:
    own, other = scores(-6.0, -9.0, -27.0), scores(-6.0, -24.0, -60.0)
    assert beam_values(own, other, 0.5) == [-1.0, 1.0, 1.0]
    assert chosen_beam(own, other, asked(0.5)) == 1
    assert chosen_beam(own, other, asked(1.0)) == 2
    assert chosen_beam(own, other, asked(0.0)) == 0


def test_a_long_text_is_not_worse_for_its_length() -> None:
    own, other = [ChoiceScore(-4.0, 2), ChoiceScore(-10.0, 10)], [ChoiceScore(0.0, 2)] * 2
    assert beam_values(own, other, 0.5) == [-2.0, -1.0]


def test_samples_follow_the_softmax_of_the_values() -> None:
    own, other = scores(-3.0, -6.0, -9.0), scores(-6.0, -6.0, -6.0)
    drawn = Counter(chosen_beam(own, other, asked(0.5, 1.0, seed)) for seed in range(600))
    parts = [math.exp(value) for value in beam_values(own, other, 0.5)]
    for choice, part in enumerate(parts):
        assert abs(drawn[choice] / 600 - part / sum(parts)) < 0.07


numbers = st.lists(st.floats(-50, -0.01), min_size=3, max_size=3)


@given(numbers, numbers, st.floats(0.1, 1.0))
def test_changed_places_and_the_inverse_weight_turn_the_order_around(own, other, weight) -> None:
    values = beam_values(scores(*own), scores(*other), weight)
    swapped = beam_values(scores(*other), scores(*own), 1 / weight)
    for value, turned in zip(values, swapped, strict=True):
        assert math.isclose(turned, -value / weight, rel_tol=1e-9, abs_tol=1e-9)
