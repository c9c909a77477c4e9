"""Measure how often a question can be answered unread, by length or position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

from kofinlaw.data.solvers.credit import credit_of
from kofinlaw.data.solvers.solvers import longest_scores

__all__ = ["ShortcutFigures", "mean", "shortcut_figures"]


class ShortcutFigures(TypedDict):
    """Shortcuts of a set of questions, as `card.json` keeps them."""

    items: int
    uniform: float
    longest: float
    longest_gain: float
    five_options: int
    positions: dict[str, int]


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 for no values."""
    return sum(values) / len(values) if values else 0.0


def shortcut_figures(rows: Sequence[tuple[Sequence[str], int]]) -> ShortcutFigures:
    """Return counts, answer positions, and what choosing the longest option gains over chance.

    `rows` are (options, index of the answer from 0). `uniform` and `longest` are shares (0 to 1);
    `longest_gain` is in percentage points.
    """
    uniform = mean([1 / len(options) for options, _ in rows])
    longest = mean([credit_of(longest_scores(options), answer) for options, answer in rows])
    positions = Counter(str(answer + 1) for _, answer in rows)
    return {
        "items": len(rows),
        "uniform": round(uniform, 4),
        "longest": round(longest, 4),
        "longest_gain": round(100 * (longest - uniform), 2),
        "five_options": sum(len(options) == 5 for options, _ in rows),
        "positions": dict(sorted(positions.items())),
    }
