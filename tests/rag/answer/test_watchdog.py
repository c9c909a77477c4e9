"""A call that hangs is abandoned, and the next one works."""

from __future__ import annotations

import time

import pytest

from kofinlaw.rag.answer.watchdog import Overdue, ThreadCaller


def test_a_thread_that_hangs_is_left_and_the_next_call_works() -> None:
    beats: list[int] = []
    call = ThreadCaller(lambda: beats.append(1))
    assert call(lambda: 3, 5.0) == 3
    with pytest.raises(Overdue):
        call(lambda: time.sleep(3), 0.05)
    assert call(lambda: 4, 5.0) == 4
    with pytest.raises(ValueError, match="inside"):
        call(lambda: int("inside"), 5.0)
    assert beats
