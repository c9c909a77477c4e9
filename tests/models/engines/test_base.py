"""What all engines share: batches by length."""

from __future__ import annotations

from kofinlaw.models.engines.base import length_batches


def test_batches_hold_every_row_once_within_the_budget():
    lengths = [5, 9, 3, 9, 40, 1, 7]
    batches = length_batches(lengths, 20, 3)
    assert sorted(index for batch in batches for index in batch) == list(range(7))
    assert batches[0] == [4]
    for batch in batches[1:]:
        assert len(batch) * max(lengths[i] for i in batch) <= 20
        assert len(batch) <= 3
