"""The conformal threshold keeps its bound, and a floor survives its record."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.rag.abstention.calibrate import PASSED, PASSED_OFF_TOPIC, lowered
from kofinlaw.rag.abstention.floor import Floor, conformal_threshold


def test_the_bound_holds_for_scores_of_any_distribution() -> None:
    draw = random.Random(3)
    for distribution in (draw.random, lambda: draw.gauss(0, 5), lambda: draw.expovariate(1)):
        refused = 0
        for _ in range(2000):
            scores = [distribution() for _ in range(30)]
            threshold = conformal_threshold(scores, 0.1)
            assert threshold is not None
            refused += distribution() < threshold
        assert 0.07 < refused / 2000 <= 0.12  # at most .1, up to the error of 2,000 draws


def test_too_few_scores_give_no_threshold() -> None:
    assert conformal_threshold(list(range(8)), 0.1) is None
    assert conformal_threshold(list(range(9)), 0.1) == 0
    assert conformal_threshold([], 0.1) is None


def test_a_floor_is_read_back_and_one_of_another_version_is_not() -> None:
    floor = Floor(1.5, 0.1, False, 40, 0.05, None, 0.0, 0.02, True)
    assert Floor.from_record(floor.to_record()) == floor
    assert Floor.from_record({**floor.to_record(), "version": 0}) is None


SCORES = st.lists(st.floats(-50, 50), min_size=1, max_size=60)


@given(st.floats(-50, 50), SCORES, SCORES)
def test_a_lowered_floor_keeps_the_bound_and_refuses_enough(
    threshold: float, hidden: list[float], off_topic: list[float]
) -> None:
    floor = lowered(threshold, hidden, off_topic)
    assert floor <= threshold
    if floor < threshold:
        assert sum(score >= floor for score in hidden) <= PASSED * len(hidden)
        passed = sum(score >= floor for score in off_topic)
        assert passed <= PASSED_OFF_TOPIC * len(off_topic)


def test_a_floor_of_version_1_has_no_weight_of_missing_names() -> None:
    record = Floor(1.5, 0.1, False, 40, 0.05, None, 0.0, 0.02, True).to_record()
    del record["name_weight"]
    old = Floor.from_record({**record, "version": 1})
    assert old is not None
    assert old.name_weight == 0.0
