"""Turn the scores of options into credit: equal best options share it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

__all__ = ["broken_tie", "chosen_option", "credit_of", "shared_credit"]


def shared_credit(scores: Sequence[float]) -> list[float]:
    """Return the probability that each option is chosen; the probabilities add up to 1.

    The options with the largest score share the credit equally. If all scores are equal, each of
    `k` options gets `1/k`. Without options the list is empty.
    """
    if not scores:
        return []
    best = max(scores)
    count = sum(score == best for score in scores)
    return [(score == best) / count for score in scores]


def credit_of(scores: Sequence[float], answers: int | Sequence[int]) -> float:
    """Return the credit (0..1) of the right option or options, by index from 0."""
    shared = shared_credit(scores)
    return sum(shared[i] for i in ({answers} if isinstance(answers, int) else set(answers)))


def chosen_option(scores: Sequence[float], options: Sequence[str]) -> int:
    """Return the index (from 0) of the option with the largest score, ties broken as `broken_tie`.

    The result is -1 if all scores are equal, because then the scores do not distinguish the
    options.
    """
    if not scores or min(scores) == max(scores):
        return -1
    return broken_tie(scores, options)


def broken_tie(scores: Sequence[float], options: Sequence[str], salt: str = "") -> int:
    """Return the index (from 0) of one option among those with the largest score.

    A SHA-256 hash of `salt` and the option's text decides, so neither position nor length does.
    With the question's id as `salt`, the same option text wins in some questions and loses in
    others. Raises ValueError without options.
    """
    best = max(scores)
    tied = [index for index, score in enumerate(scores) if score == best]
    return min(tied, key=lambda i: hashlib.sha256(f"{salt}{options[i]}".encode()).hexdigest())
