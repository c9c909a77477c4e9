"""What a set of questions gives away without being read: overlap, length, position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

Tokens = AbstractSet[str]


def overlap_credit(
    options: Sequence[Tokens], answer: int, passages: Sequence[Tokens], *, negative: bool = False
) -> float:
    """Chance of being right by taking the option that one passage holds most of (0..1).

    An option's overlap is the share of its distinct tokens in its best passage; `negative` takes
    the least. Equal ones share the credit.
    """
    scores = []
    for tokens in options:
        shared = max((len(tokens & passage) for passage in passages), default=0)
        scores.append(shared / len(tokens) if tokens else 0.0)
    best = min(scores) if negative else max(scores)
    return (scores[answer] == best) / scores.count(best)


def longest_credit(options: Sequence[str], answer: int) -> float:
    """Chance of being right by taking the longest option; equal ones share the credit."""
    lengths = [len(option) for option in options]
    longest = max(lengths)
    return (lengths[answer] == longest) / lengths.count(longest)


def mean(values: Sequence[float]) -> float:
    """The mean, 0 for nothing."""
    return sum(values) / len(values) if values else 0.0


def describe(
    rows: Sequence[tuple[Sequence[str], int]],
) -> dict[str, float | int | Mapping[str, int]]:
    """Counts, answer positions, and how much the longest option wins over chance.

    `rows` are (options, place of the answer from 0); `longest_gain` is in points of 100.
    """
    uniform = mean([1 / len(options) for options, _ in rows])
    longest = mean([longest_credit(options, answer) for options, answer in rows])
    positions = Counter(str(answer + 1) for _, answer in rows)
    return {
        "items": len(rows),
        "uniform": round(uniform, 4),
        "longest": round(longest, 4),
        "longest_gain": round(100 * (longest - uniform), 2),
        "five_options": sum(len(options) == 5 for options, _ in rows),
        "positions": dict(sorted(positions.items())),
    }
