"""Agreement of two readers, against worked figures."""

import pytest

from kofinlaw.augment.review.agreement import agreement

READERS = ("kim", "lee")


def test_kappa_of_a_table_that_was_computed_by_hand():
    pairs = (
        [("right", "right")] * 20
        + [("right", "wrong")] * 5
        + [("wrong", "right")] * 10
        + [("wrong", "wrong")] * 15
    )
    found = agreement(READERS, pairs)
    assert (found.n, found.equal) == (50, 35)
    assert found.kappa == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5)
    # By exact fractions the variance of Fleiss, Cohen and Everitt is 252 / 15625.
    assert found.low == pytest.approx(0.4 - 1.959964 * 0.1269961, abs=1e-4)
    assert found.high == pytest.approx(0.4 + 1.959964 * 0.1269961, abs=1e-4)


def test_equal_verdicts_of_more_than_one_kind_have_kappa_one():
    found = agreement(READERS, [("right", "right")] * 9 + [("wrong", "wrong")])
    assert found.kappa == pytest.approx(1)
    assert (found.low, found.high) == (None, None)  # the formula knows no error here


def test_kappa_is_unknown_where_chance_explains_everything():
    found = agreement(READERS, [("right", "right")] * 9)
    assert (found.n, found.equal, found.kappa, found.low) == (9, 9, None, None)
    assert agreement(READERS, []).kappa is None


def test_readers_who_always_differ_are_below_chance():
    found = agreement(READERS, [("right", "wrong"), ("wrong", "right")] * 5)
    assert found.kappa == pytest.approx(-1)
    assert found.low is None


def test_a_reader_who_always_says_the_same_has_no_interval():
    found = agreement(READERS, [("right", "right")] * 9 + [("right", "wrong")])
    assert (found.kappa, found.low, found.high) == (pytest.approx(0), None, None)
