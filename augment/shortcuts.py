"""Measure how often a question can be answered unread: by overlap, length or position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TypedDict

__all__ = [
    "ShortcutFigures",
    "Tokens",
    "longest_credit",
    "mean",
    "overlap_credit",
    "shortcut_figures",
]

Tokens = AbstractSet[str]


class ShortcutFigures(TypedDict):
    """Shortcuts of a set of questions, as `card.json` keeps them."""

    items: int
    uniform: float
    longest: float
    longest_gain: float
    five_options: int
    positions: dict[str, int]


def overlap_credit(
    options: Sequence[Tokens], answer: int, passages: Sequence[Tokens], *, negative: bool = False
) -> float:
    """Return the chance of being right by choosing the option with the largest word overlap
    (0 to 1).

    An option's overlap is the largest share of its distinct tokens that one passage holds.
    `negative` chooses the smallest overlap. Options with equal overlap share the credit.
    """
    scores = []
    for tokens in options:
        shared = max((len(tokens & passage) for passage in passages), default=0)
        scores.append(shared / len(tokens) if tokens else 0.0)
    best = min(scores) if negative else max(scores)
    return (scores[answer] == best) / scores.count(best)


def longest_credit(options: Sequence[str], answer: int) -> float:
    """Return the chance of being right by choosing the longest option.

    Equal options share the credit.
    """
    lengths = [len(option) for option in options]
    longest = max(lengths)
    return (lengths[answer] == longest) / lengths.count(longest)


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 for no values."""
    return sum(values) / len(values) if values else 0.0


def shortcut_figures(rows: Sequence[tuple[Sequence[str], int]]) -> ShortcutFigures:
    """Return counts, answer positions, and what choosing the longest option gains over chance.

    `rows` are (options, index of the answer from 0). `uniform` and `longest` are shares (0 to 1);
    `longest_gain` is in percentage points.
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
