"""Find tables on a PDF page by the lines that are drawn around their cells.

A PDF has no tables: it only draws lines and characters. Lines that cross form a grid, and the text
between them is a cell. Tables without ruled lines stay lines of text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pypdfium2.raw as raw
from pypdfium2 import PdfiumError, PdfPage

from kofinlaw.data.readers.paged.page_letters import PageLetters
from kofinlaw.data.readers.tables import cell_text

__all__ = ["Table", "tables_of"]

_MAX_LINE_WIDTH = 3.0  # points; a thinner path is a line
_MIN_LINE_LENGTH = 8.0  # points
_TOLERANCE = 3.0  # points between lines that count as one line, or that touch
_MAX_PATHS = 1000  # a page with more is a drawing, not a table


@dataclass(frozen=True, slots=True)
class Table:
    """A grid on a page.

    `columns` are the positions of its vertical lines from the left, `lines` those of its
    horizontal lines from the top, both in points. `rows` are the words of each cell, row by row.
    """

    columns: tuple[float, ...]
    lines: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]

    def holds(self, x: float, y: float) -> bool:
        """Return whether a point of the page (in points) is inside the table."""
        return self.columns[0] <= x <= self.columns[-1] and self.lines[-1] <= y <= self.lines[0]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A drawn line: its position (x of a vertical line, y of a horizontal one) and its two ends."""

    at: float
    low: float
    high: float


def tables_of(page: PdfPage, letters: PageLetters) -> list[Table]:
    """Return the ruled tables of a pypdfium2 page with at least two rows and two columns."""
    upright, level = _rules(page)
    out = []
    for verticals, horizontals in _grids(upright, level):
        columns = _merged_positions(rule.at for rule in verticals)
        lines = tuple(reversed(_merged_positions(rule.at for rule in horizontals)))
        if len(columns) < 3 or len(lines) < 3:
            continue
        rows, filled = _cells(letters, columns, lines, verticals, horizontals)
        # Frames around paragraphs cross as well, but their words are not side by side.
        if sum(n > 1 for n in filled) >= max(2, 0.4 * sum(n > 0 for n in filled)):
            out.append(Table(columns, lines, rows))
    return out


def _cells(
    letters: PageLetters,
    columns: tuple[float, ...],
    lines: tuple[float, ...],
    verticals: list[_Rule],
    horizontals: list[_Rule],
) -> tuple[tuple[tuple[str, ...], ...], list[int]]:
    """Return (the words of each cell, the number of cells with words in each row).

    Cells without a line between them are one cell, and repeat its words.
    """
    height, width = len(lines) - 1, len(columns) - 1
    rows: list[list[str | None]] = [[None] * width for _ in range(height)]
    filled = [0] * height
    for row in range(height):
        for column in range(width):
            if rows[row][column] is not None:
                continue
            right, below = column + 1, row + 1
            middle = (lines[row] + lines[row + 1]) / 2
            while right < width and not _drawn(verticals, columns[right], middle):
                right += 1
            centres = [(columns[n] + columns[n + 1]) / 2 for n in range(column, right)]
            while below < height and not any(
                _drawn(horizontals, lines[below], centre) for centre in centres
            ):
                below += 1
            words = cell_text(
                letters.words(columns[column], lines[below], columns[right], lines[row])
            )
            for number in range(row, below):
                filled[number] += bool(words)
                for at in range(column, right):
                    if rows[number][at] is None:
                        rows[number][at] = words
    return tuple(tuple(cell or "" for cell in row) for row in rows), filled


def _drawn(rules: list[_Rule], at: float, middle: float) -> bool:
    """Return whether a line is drawn at a position, where it passes the middle of a cell."""
    return any(
        abs(rule.at - at) <= _TOLERANCE and rule.low <= middle <= rule.high for rule in rules
    )


def _rules(page: PdfPage) -> tuple[list[_Rule], list[_Rule]]:
    """Return (vertical lines, horizontal lines): thin paths, and the edges of boxes."""
    upright: list[_Rule] = []
    level: list[_Rule] = []
    for number, path in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3)):
        if number >= _MAX_PATHS:
            return [], []
        try:
            left, bottom, right, top = path.get_bounds()
        except PdfiumError:
            continue
        width, height = right - left, top - bottom
        if width < _MAX_LINE_WIDTH and height > _MIN_LINE_LENGTH:
            upright.append(_Rule((left + right) / 2, bottom, top))
        elif height < _MAX_LINE_WIDTH and width > _MIN_LINE_LENGTH:
            level.append(_Rule((bottom + top) / 2, left, right))
        elif width > _MIN_LINE_LENGTH and height > _MIN_LINE_LENGTH:
            upright += [_Rule(left, bottom, top), _Rule(right, bottom, top)]
            level += [_Rule(bottom, left, right), _Rule(top, left, right)]
    return upright, level


def _grids(upright: list[_Rule], level: list[_Rule]) -> list[tuple[list[_Rule], list[_Rule]]]:
    """Return the groups of lines that cross each other, ordered from the top of the page."""
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
        horizontal.low - _TOLERANCE <= vertical.at <= horizontal.high + _TOLERANCE
        and vertical.low - _TOLERANCE <= horizontal.at <= vertical.high + _TOLERANCE
    )


def _merged_positions(values: Iterable[float]) -> tuple[float, ...]:
    """Return the positions in order; positions that are almost equal count as one line."""
    out: list[float] = []
    for value in sorted(values):
        if not out or value - out[-1] > _TOLERANCE:
            out.append(value)
    return tuple(out)
