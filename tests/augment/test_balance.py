import random

import numpy as np

from kofinlaw.augment.balance import SMALLEST, TOLERANCE, balanced, excess


def values(count: int, solved: float, options: int = 4) -> np.ndarray:
    """Return the excess of two solvers: the first is right on a share, the second by chance."""
    rows = [{"a": float(i < solved * count), "b": float(i % options == 0)} for i in range(count)]
    return excess(rows, [1 / options] * count)


def test_what_is_left_is_near_chance_for_every_solver():
    found = balanced(values(200, 0.8), random.Random(1))
    assert found.reached
    assert len(found.kept) >= SMALLEST
    assert np.abs(values(200, 0.8)[list(found.kept)].mean(axis=0)).max() <= TOLERANCE


def test_a_solver_below_chance_is_balanced_too():
    found = balanced(values(300, 0.1), random.Random(1))
    assert found.reached
    assert abs(values(300, 0.1)[list(found.kept)].mean(axis=0)[0]) <= TOLERANCE


def test_a_set_that_a_solver_answers_wholly_cannot_be_balanced():
    found = balanced(values(200, 1.0), random.Random(1))
    assert not found.reached
    assert len(found.kept) == SMALLEST


def test_the_limit_and_the_seed_decide_what_is_kept():
    one = balanced(values(200, 0.6), random.Random(5), most=40)
    assert one == balanced(values(200, 0.6), random.Random(5), most=40)
    assert len(one.kept) <= 40
    assert one.reached


def test_nothing_gives_nothing():
    assert balanced(excess([], []), random.Random(1)).kept == ()
