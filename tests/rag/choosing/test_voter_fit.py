"""The fit recovers the voters that help, from items alone, and knows how sure it may be."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from kofinlaw import UserError
from kofinlaw.rag.choosing.preference import (
    Vote,
    option_probabilities,
    preferences,
)
from kofinlaw.rag.choosing.voter_fit import FIT_VOTERS, FitItem, fit_voters


def items(
    count: int, *, strength: dict[str, float], seed: int = 1, gate: bool = False
) -> list[FitItem]:
    """Return questions whose voters point to the right option with a strength, plus noise.

    With `gate` the overlap helps only where the evidence bears on the question.
    """
    draw = random.Random(seed)
    out = []
    for number in range(count):
        answer, negative = draw.randrange(4), draw.random() < 0.4
        bearing = draw.choice([0.1, 0.9]) if gate else draw.random()
        votes: list[Vote] = []
        for voter in FIT_VOTERS:
            power = strength.get(voter, 0.0)
            if gate and voter == "overlap" and bearing < 0.5:
                power = 0.0
            sign = -1 if negative else 1
            values = [
                draw.gauss(0, 1) + (sign * power if option == answer else 0.0)
                for option in range(4)
            ]
            votes.append({"voter": voter, "values": values})
        out.append(FitItem(f"q{number}", votes, bearing, negative, answer))
    return out


def share_right(found: list[FitItem], fit_items: list[FitItem]) -> tuple[float, float]:
    """Return accuracy and mean confidence on `found` of weights fitted to `fit_items`."""
    weights = fit_voters(fit_items).weights
    right, sure = 0, 0.0
    for item in found:
        preferred = preferences(item.votes, weights, negative=item.negative, bearing=item.bearing)
        chances = option_probabilities(preferred, ["가", "나", "다", "라"], weights.temperature)
        right += chances.index(max(chances)) == item.answer
        sure += max(chances)
    return right / len(found), sure / len(found)


def test_the_voter_that_helps_gets_the_weight() -> None:
    fit = fit_voters(items(300, strength={"contrast": 1.5, "overlap": 0.5}))
    weights = fit.weights.voters
    assert weights["contrast"] > weights["overlap"] > 0.1
    assert all(abs(weights[name]) < 0.15 for name in ("evidence", "look_up"))
    assert fit.right > fit.alone["overlap"]
    assert fit.right >= fit.alone["contrast"] - 0.02
    assert fit.items == 300


def test_a_voter_that_points_to_the_wrong_option_gets_no_weight() -> None:
    fit = fit_voters(items(300, strength={"contrast": 1.0, "look_up": -1.5}))
    assert fit.weights.voters["look_up"] == 0.0
    assert fit.weights.voters["contrast"] > 0.3


def test_confidence_is_the_share_that_is_right_on_other_items() -> None:
    right, sure = share_right(
        items(600, strength={"contrast": 1.0}, seed=9), items(300, strength={"contrast": 1.0})
    )
    assert abs(right - sure) < 0.06
    assert fit_voters(items(300, strength={"contrast": 1.0})).calibration_error < 0.08


def test_a_gate_learns_when_the_evidence_does_not_bear_on_the_question() -> None:
    fit = fit_voters(items(400, strength={"overlap": 2.0, "contrast": 0.5}, gate=True))
    assert fit.weights.gated["overlap"]["bearing"] > 0.1
    on, off = (
        fit.weights.of("overlap", {"bearing": b, "level": 1.0, "spread": 1.0}) for b in (0.9, 0.1)
    )
    assert on > 2 * off


def test_a_question_with_less_evidence_than_any_item_is_left_to_the_likelihood() -> None:
    """Weights are not used where the fit had no item: the other options' words mean nothing."""
    found = [
        replace(item, bearing=0.4 + 0.006 * number)
        for number, item in enumerate(items(100, strength={"overlap": 2.0}))
    ]
    weights = fit_voters(found).weights
    assert weights.bearing_from == 0.406  # one item in a hundred is below
    votes: list[Vote] = [
        {"voter": "overlap", "values": [9.0, 0.0, 0.0, 0.0]},
        {"voter": "likelihood", "values": [-3.0, -3.0, -1.0, -3.0]},
    ]

    def best(bearing: float, *, negative: bool = False) -> int:
        preferred = preferences(votes, weights, bearing=bearing, negative=negative)
        return preferred.index(max(preferred))

    assert [best(0.405), best(0.406), best(1.0)] == [2, 0, 0]
    assert best(0.405, negative=True) != 2
    assert weights.model_voters(0.405, shown=True) == {"likelihood"}


def test_neither_the_items_order_nor_the_options_order_matters() -> None:
    found = items(120, strength={"contrast": 1.0, "overlap": 0.5})
    fit = fit_voters(found)
    assert fit_voters(found[::-1]) == fit
    order = (2, 0, 3, 1)
    moved = [
        FitItem(
            item.id,
            [{"voter": v["voter"], "values": [v["values"][i] for i in order]} for v in item.votes],
            item.bearing,
            item.negative,
            order.index(item.answer),
        )
        for item in found
    ]
    again = fit_voters(moved).weights
    assert again.voters == pytest.approx(fit.weights.voters, abs=2e-6)


def test_it_stays_small_and_finite_where_nothing_helps_or_all_votes_are_equal() -> None:
    fit = fit_voters(items(200, strength={}))
    parameters = len(fit.weights.voters) + sum(map(len, fit.weights.gated.values()))
    assert parameters <= 12
    assert fit.right < 0.45
    equal = [
        FitItem(f"q{n}", [{"voter": "contrast", "values": [1.0, 1.0]}], 0.5, False, n % 2)
        for n in range(40)
    ]
    flat = fit_voters(equal)
    assert flat.weights.voters == {"contrast": 0.0}
    assert flat.right == 0.5


def test_separable_items_do_not_send_the_weights_to_infinity() -> None:
    sure = [
        FitItem(
            f"q{n}",
            [{"voter": "contrast", "values": [float(i == n % 4) for i in range(4)]}],
            0.5,
            False,
            n % 4,
        )
        for n in range(60)
    ]
    fit = fit_voters(sure)
    assert fit.right == 1.0
    assert 0.5 < fit.weights.voters["contrast"] < 20


def test_too_few_items_are_refused() -> None:
    with pytest.raises(UserError, match="39 labelled questions"):
        fit_voters(items(39, strength={}))


def test_figures_are_recorded_by_name() -> None:
    record = fit_voters(items(60, strength={"contrast": 1.0})).to_record()
    assert list(itertools.islice(record, 3)) == ["items", "right", "log_loss"]
    assert set(record["alone"]) == set(FIT_VOTERS)  # type: ignore[call-overload]
