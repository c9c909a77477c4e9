import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.augment.balance import SMALLEST, TOLERANCE, balanced, excess, exchanged


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


def test_a_small_set_is_balanced_by_exchanging_questions():
    """Of twelve questions each one is .08 of the mean, so dropping alone cannot balance them."""
    rows = np.array([[0.75, -0.25], [-0.25, 0.75], [0.75, 0.75], [-0.25, -0.25]] * 10)
    kept, reached = exchanged(rows, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22], ["a"] * 40)
    assert reached
    assert len(kept) == 12
    assert np.abs(rows[kept].mean(axis=0)).max() <= TOLERANCE


def test_questions_are_exchanged_within_their_cell_only():
    rows = np.array([[0.75], [0.75], [-0.25], [-0.25]])
    kept, reached = exchanged(rows, [0, 1], ["a", "b", "c", "c"])
    assert (kept, reached) == ([0, 1], False)


@given(
    st.lists(
        st.tuples(st.sampled_from([-0.25, 0.75]), st.sampled_from([-0.25, 0.25, 0.75])), max_size=30
    ),
    st.randoms(use_true_random=False),
)
def test_an_exchange_keeps_the_number_of_each_cell_and_comes_no_further_from_chance(rows, draw):
    values = np.array(rows, dtype=float).reshape(len(rows), 2)
    kept = sorted(draw.sample(range(len(rows)), draw.randint(0, len(rows))))
    cells = [draw.choice("ab") for _ in rows]
    found, reached = exchanged(values, kept, cells)
    assert len(set(found)) == len(found)
    assert sorted(cells[i] for i in found) == sorted(cells[i] for i in kept)
    before, after = (np.square(values[group].sum(axis=0)).sum() for group in (kept, found))
    assert after <= before + 1e-9
    near = bool(found) and np.abs(values[found].mean(axis=0)).max() <= TOLERANCE + 1e-9
    assert reached == near
