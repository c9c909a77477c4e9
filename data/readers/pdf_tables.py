"""Tables of a PDF page, by the lines that are drawn around their cells.

A PDF knows no tables: it draws lines and sets letters. Lines that cross make a grid; what stands
between them is a cell. Tables without ruled lines stay lines of text.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_THIN = 3.0  # points; a path that is thinner is a line
_SHORTEST = 8.0
_NEAR = 3.0  # points between lines that are one, or that meet
_MOST_PATHS = 1000  # a drawing, not a table


@dataclass(frozen=True, slots=True)
class Table:
    """A grid on a page: its vertical lines from the left, its horizontal ones from the top
    (points), and the words of each cell, row by row."""

    columns: tuple[float, ...]
    lines: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]

    def holds(self, x: float, y: float) -> bool:
        """Whether a point of the page lies in the table."""
        return self.columns[0] <= x <= self.columns[-1] and self.lines[-1] <= y <= self.lines[0]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A drawn line: its place across (x of a vertical one), and from where to where it runs."""

    at: float
    low: float
    high: float


def tables_of(page: Any, text_page: Any) -> list[Table]:
    """The ruled tables of a pypdfium2 page with at least two rows and two columns."""
    upright, level = _rules(page)
    out = []
    for verticals, horizontals in _grids(upright, level):
        columns = _places(rule.at for rule in verticals)
        lines = tuple(reversed(_places(rule.at for rule in horizontals)))
        if len(columns) < 3 or len(lines) < 3:
            continue
        rows = tuple(
            tuple(_words(text_page, left, bottom, right, top) for left, right in pairwise(columns))
            for top, bottom in pairwise(lines)
        )
        filled = [sum(map(bool, row)) for row in rows]
        # Frames around paragraphs cross too, but their words do not stand side by side.
        if sum(n > 1 for n in filled) >= max(2, 0.4 * sum(n > 0 for n in filled)):
            out.append(Table(columns, lines, rows))
    return out


def _words(text_page: Any, left: float, bottom: float, right: float, top: float) -> str:
    text = text_page.get_text_bounded(left=left, bottom=bottom, right=right, top=top)
    return " ".join(text.replace("\x00", "").split()).replace("|", "/")


def _rules(page: Any) -> tuple[list[_Rule], list[_Rule]]:
    """(vertical, horizontal) lines: thin paths, and the edges of boxes."""
    import pypdfium2.raw as raw
    from pypdfium2 import PdfiumError

    upright: list[_Rule] = []
    level: list[_Rule] = []
    for number, path in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3)):
        if number >= _MOST_PATHS:
            return [], []
        try:
            left, bottom, right, top = path.get_bounds()
        except PdfiumError:
            continue
        width, height = right - left, top - bottom
        if width < _THIN and height > _SHORTEST:
            upright.append(_Rule((left + right) / 2, bottom, top))
        elif height < _THIN and width > _SHORTEST:
            level.append(_Rule((bottom + top) / 2, left, right))
        elif width > _SHORTEST and height > _SHORTEST:
            upright += [_Rule(left, bottom, top), _Rule(right, bottom, top)]
            level += [_Rule(bottom, left, right), _Rule(top, left, right)]
    return upright, level


def _grids(upright: list[_Rule], level: list[_Rule]) -> list[tuple[list[_Rule], list[_Rule]]]:
    """Lines that cross one another, group by group, from the top of the page."""
    waiting_up, waiting_level = list(upright), list(level)
    out = []
    while waiting_up and waiting_level:
        ours_up, ours_level = [waiting_up.pop()], []
        grown = True
        while grown:
            crossing = [h for h in waiting_level if any(_cross(v, h) for v in ours_up)]
            waiting_level = [h for h in waiting_level if h not in crossing]
            ours_level += crossing
            meeting = [v for v in waiting_up if any(_cross(v, h) for h in ours_level)]
            waiting_up = [v for v in waiting_up if v not in meeting]
            ours_up += meeting
            grown = bool(crossing or meeting)
        if ours_level:
            out.append((ours_up, ours_level))
    return sorted(out, key=lambda grid: -max(rule.at for rule in grid[1]))


def _cross(vertical: _Rule, horizontal: _Rule) -> bool:
    return (
        horizontal.low - _NEAR <= vertical.at <= horizontal.high + _NEAR
        and vertical.low - _NEAR <= horizontal.at <= vertical.high + _NEAR
    )


def _places(values: Any) -> tuple[float, ...]:
    """The values in order, those that are one line put together."""
    out: list[float] = []
    for value in sorted(values):
        if not out or value - out[-1] > _NEAR:
            out.append(value)
    return tuple(out)
