"""The search for the largest size under a limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.trainer.simulation.fitting import largest_that_fits


def test_a_straight_line_needs_four_evaluations():
    seen = []

    def peak(size):
        seen.append(size)
        return 6.0 + 1.05 * size

    assert largest_that_fits(peak, 23.5, 256) == 16
    assert 16 in seen
    assert 17 in seen
    assert len(seen) <= 4


def test_nothing_fits_and_everything_fits():
    assert largest_that_fits(lambda size: 10.0 + size, 10.0, 99) == 0
    assert largest_that_fits(lambda size: 10.0 + size, 1e9, 99) == 99
    assert largest_that_fits(lambda size: 1.0, 1.0, 5) == 5
    assert largest_that_fits(lambda size: 1.0, 1.0, 0) == 0


def test_known_sizes_are_not_evaluated_again():
    seen = []

    def peak(size):
        seen.append(size)
        return 2.0 * size

    assert largest_that_fits(peak, 9.0, 50, known={1: 2.0, 4: 8.0}, first=5) == 4
    assert seen == [5]


@given(
    steps=st.lists(st.floats(0, 10), min_size=1, max_size=60),
    limit=st.floats(0, 300),
    first=st.integers(0, 80),
)
def test_the_answer_is_that_of_trying_every_size(steps, limit, first):
    sums = [sum(steps[: n + 1]) for n in range(len(steps))]
    expected = sum(value <= limit for value in sums)
    assert largest_that_fits(lambda n: sums[n - 1], limit, len(sums), first=first) == expected
