"""Score choices: prompts with a common beginning share its computation."""

from __future__ import annotations

from kofinlaw.models.engines.choice_scoring import shared_beginnings


def test_prompts_with_a_common_beginning_are_read_together():
    shared = list(range(100))
    prompts = {0: [*shared, 1], 1: [9, 9, 9], 2: [*shared, 2, 3], 3: [*shared]}
    assert shared_beginnings(prompts) == [([1], 0), ([3, 0, 2], 99)]
