"""Read the lines of a drawing: their box characters, and the texts between their bars.

A box character is as wide as a Korean letter, two columns, or one column. The caller says which.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "BOX",
    "Segment",
    "arms_of",
    "boundaries",
    "is_bar",
    "is_corner",
    "is_rule",
    "placed_segments",
    "segments_of",
    "width_of",
]

BOX = re.compile(r"[\u2500-\u257f]")
_SAME_BAR = 2  # columns: bars at this distance are one boundary


@lru_cache(maxsize=256)
def arms_of(character: str) -> frozenset[str]:
    """Return the directions in which a box character has a line: up, down, left, right."""
    if not "\u2500" <= character <= "\u257f":
        return frozenset()
    name = unicodedata.name(character)
    arms = {word for word in ("up", "down", "left", "right") if word.upper() in name.split()}
    if "VERTICAL" in name:
        arms |= {"up", "down"}
    if "HORIZONTAL" in name:
        arms |= {"left", "right"}
    return frozenset(arms)


def is_bar(character: str) -> bool:
    """Return whether the character has a line up or down: `│`, `├`, `┬`."""
    return bool(arms_of(character) & {"up", "down"})


def is_corner(character: str) -> bool:
    """Return whether the character is a corner: `┌`, `┘`."""
    arms = arms_of(character)
    return len(arms) == 2 and len(arms & {"up", "down"}) == 1


def is_rule(words: str) -> bool:
    """Return whether the text between two bars is a horizontal line."""
    bare = "".join(words.split())
    return bool(bare) and all(arms_of(c) and not is_bar(c) for c in bare)


@dataclass(slots=True)
class Segment:
    """The text between two bars of a line: display columns of the bars, and whether a rule."""

    left: int
    right: int
    words: str
    rule: bool


def segments_of(line: str, wide: int) -> list[Segment]:
    """Return the texts between the bars of a line, with the text outside of the outer bars."""
    out: list[Segment] = []
    left, words, column = -1, "", 0
    for character in line:
        if is_bar(character):
            if out or column > 0 or words:
                out.append(Segment(left, column, words, is_rule(words)))
            elif column == 0:
                out.append(Segment(-1, 0, "", False))
            left, words = column, ""
        else:
            words += character
        column += width_of(character, wide)
    out.append(Segment(left, column, words, is_rule(words)))
    if not out[0].words.strip():
        out = out[1:]  # blanks before the outer bar
    if out and not out[-1].words.strip() and len(out) > 1:
        out = out[:-1]
    return out


@lru_cache(maxsize=4096)
def width_of(character: str, wide: int) -> int:
    """Return the display columns of a character; `wide` are those of a box character."""
    if unicodedata.combining(character):
        return 0
    kind = unicodedata.east_asian_width(character)
    return 2 if kind in "WF" else wide if kind == "A" else 1


def boundaries(rows: Sequence[Sequence[Segment]]) -> list[int]:
    """Return the display columns of the boundaries: from pure rules first, then from other lines
    with rules, and from all lines if there is no rule.
    """
    pure = [row for row in rows if all(s.rule for s in row)]
    mixed = [row for row in rows if any(s.rule for s in row) and not all(s.rule for s in row)]
    edges: list[int] = []
    near: set[int] = set()  # the columns of the same bar as an edge
    for row in [*pure, *mixed] if pure or mixed else rows:
        for segment in row:
            for column in (segment.left, segment.right):
                if column not in near:
                    edges.append(column)
                    near.update(range(column - _SAME_BAR, column + _SAME_BAR + 1))
    edges.sort()
    return edges if len(edges) > 1 else [-1, max(edges, default=0) + 1]


def placed_segments(
    segments: Sequence[Segment], edges: Sequence[int]
) -> list[tuple[Segment, int, int]]:
    """Return each segment with the indexes of its boundaries: the nearest ones, in order.

    Lost characters move the bars of a line. A segment without room is joined to the one before.
    """
    out: list[tuple[Segment, int, int]] = []
    last = 0
    for number, segment in enumerate(segments):
        first = last if number else _nearest(edges, segment.left, 0, len(edges) - 2)
        left_over = len(segments) - number - 1
        highest = max(first + 1, len(edges) - 1 - left_over)
        if first >= len(edges) - 1:
            if out and segment.words.strip() and not segment.rule:
                held, a, b = out[-1]
                words = f"{held.words.rstrip()} {segment.words}"
                out[-1] = (Segment(held.left, held.right, words, False), a, b)
            continue
        last = _nearest(edges, segment.right, first + 1, min(highest, len(edges) - 1))
        out.append((segment, first, last))
    return out


def _nearest(edges: Sequence[int], column: int, low: int, high: int) -> int:
    after = bisect_left(edges, column, low, high + 1)
    near = [index for index in (after - 1, after) if low <= index <= high]
    return min(near, key=lambda index: (abs(edges[index] - column), index))
