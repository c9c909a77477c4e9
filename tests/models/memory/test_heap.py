"""The free bytes of the heap that a plan expects."""

from __future__ import annotations

from kofinlaw.models.memory.heap import GROWTH, OWN_PAGES, expected_free_bytes


def test_small_tensors_leave_half_their_bytes_and_large_ones_none():
    tokens = 1024
    small, large = 1000, OWN_PAGES // tokens
    assert expected_free_bytes([(small, 3), (large, 5)], tokens) == tokens * small * 3 / 2 + GROWTH
    assert expected_free_bytes([(large, 5)], tokens - 1) == (tokens - 1) * large * 5 / 2 + GROWTH
