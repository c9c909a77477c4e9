"""The limits of a search hold in the thread and the block that set them."""

from __future__ import annotations

import threading

import pytest

from kofinlaw.rag.search_limits import SearchLimits, current_limits, limit_search


def test_limits_hold_inside_their_block_and_thread_only() -> None:
    outer, inner = SearchLimits(), SearchLimits(lambda: 3.0)
    seen: list[SearchLimits | None] = []
    with limit_search(outer):
        with limit_search(inner):
            assert current_limits() is inner
            thread = threading.Thread(target=lambda: seen.append(current_limits()))
            thread.start()
            thread.join()
        assert current_limits() is outer
    assert current_limits() is None
    assert seen == [None]
    assert (outer.seconds_left(), inner.seconds_left()) == (float("inf"), 3.0)


def test_limits_end_with_an_error() -> None:
    with pytest.raises(ValueError, match="x"), limit_search(SearchLimits()):
        raise ValueError("x")
    assert current_limits() is None
