"""Score options by the share of their words that a text contains."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

__all__ = ["token_overlap"]


def token_overlap(
    options: Sequence[AbstractSet[str]],
    passages: Sequence[AbstractSet[str]],
    *,
    negative: bool = False,
) -> list[float]:
    """Return a score of each option, of which the largest is chosen.

    The score is the share (0..1) of an option's distinct tokens that its best-matching passage
    contains. Passages are compared one by one and not joined: the tokens of an option must be
    together. An option without any token scores 0. For a `negative` stem the scores have the
    opposite sign, so that the option with the smallest overlap is chosen.

    Args:
        options: distinct tokens of each option.
        passages: distinct tokens of each passage.
        negative: whether the stem asks for the option that is not true.
    """
    scores = []
    for tokens in options:
        shared = max((len(tokens & passage) for passage in passages), default=0)
        share = shared / len(tokens) if tokens else 0.0
        scores.append(-share if negative else share)
    return scores
