"""Read the cells of a table that is drawn with box characters: rows, columns, spans and texts.

The bars of the rules give the columns, the rules the rows. A blank line
over several columns separates rows too, as in tables without rules between their rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kofinlaw.data.korean.words import blanks_between
from kofinlaw.data.readers.frame_lines import BOX, Segment, boundaries, placed_segments, segments_of
from kofinlaw.data.readers.tables import markdown_rows

__all__ = ["Grid"]

_MOST_REPEATED = 40  # characters of a cell that is repeated where it spans rows
_MOST_REPEATED_ACROSS = 24  # characters of a cell that is repeated over its columns
# A line that ends this near to the edge of its cell (share of the width, or columns) was wrapped.
_WRAPPED_SHARE = 0.12
_WRAPPED_COLUMNS = 2
_ITEM = re.compile(
    r"(?:\d{1,3}(?:의\d+)?[.)]|\(\d{1,3}\)|[가-하][.)]|\([가-하]\)|[①-⑳㉑-㉟㉮-㉻]|[-·•※*○●□■◦▪ㅇ?])\s?\S"
)

_BRACKETED = re.compile(r"\([^()]+\)\Z")


@dataclass(slots=True)
class _Line:
    """A line of a cell's text.

    Attributes:
        words: The text.
        wrapped: Whether it ends at the right edge of the cell, so that it was wrapped there.
        row: The row of the table next to it.
        opens: Whether it is next to the first line of that row.
        ruled: Whether it is in the line of a rule of other columns.
        gap: Whether a blank line of the cell follows.
    """

    words: str
    wrapped: bool
    row: int
    opens: bool
    ruled: bool
    gap: bool = False


@dataclass(slots=True)
class _Cell:
    """A cell: the columns from `first` to before `last`, the rows that it spans, and its lines."""

    first: int
    last: int
    row: int
    until: int = -1
    lines: list[_Line] = field(default_factory=list)

    def by_row(self) -> Iterator[tuple[int, list[_Line]]]:
        """Yield (row, lines) of each row if the text has a part next to each row; else all lines.

        Next to each row means: a line of the text at the first line of each row that the cell
        spans, none in the line of a rule, and a gap before one of the rows or brackets around the
        text of each later row: `(유가증권)`.
        """
        starts = [n for n, line in enumerate(self.lines) if line.opens]
        rows = [self.lines[n].row for n in starts]
        spanned = list(range(self.row, self.until + 1))
        apart = rows == spanned and len(rows) > 1 and not any(line.ruled for line in self.lines)
        gap = any(self.lines[n - 1].gap for n in starts[1:])
        bracketed = all(_BRACKETED.match(self.lines[n].words) for n in starts[1:])
        if not apart or not (gap or bracketed):
            yield self.row, self.lines
            return
        for row, start, end in zip(rows, starts, [*starts[1:], len(self.lines)], strict=True):
            yield row, self.lines[start:end]


class _Filling:
    """Fills the cells of a table line by line; `open[column]` is the cell that continues there."""

    def __init__(self, columns: int) -> None:
        self.opening = True  # whether the next line without a rule is the first one of its row
        self.cells: list[_Cell] = []
        self.open: list[_Cell | None] = [None] * columns
        self.row = 0
        self.opened = 0  # the row that the last blank line opened
        self.after_blank = False

    def add(self, placed: Sequence[tuple[Segment, int, int]]) -> None:
        """Add the next line: segments with the indexes of their boundaries."""
        filled = sum(bool(segment.words.strip()) for segment, _, _ in placed)
        started = bool(self.cells) and self.cells[-1].row == self.row
        ruled = any(segment.rule for segment, _, _ in placed)
        if ruled:
            self.after_blank = False
            self.row += started
        elif self.after_blank and filled > 1 and started:
            self._open_row()
        else:
            self.after_blank = not filled
        for segment, first, last in placed:
            if segment.rule:
                self._close(first, last)
            else:
                self._add_words(segment, first, last, ruled)
        self.opening = ruled

    def _open_row(self) -> None:
        """Start a row after a blank line; only the cell of the first column may span it."""
        self.row = self.opened = self.row + 1
        self.after_blank = False
        self._close(self.open[0].last if self.open[0] else 0, len(self.open))

    def _add_words(self, segment: Segment, first: int, last: int, ruled: bool) -> None:
        words = " ".join(BOX.sub(" ", segment.words).split())  # a fraction's line is not a word
        cell = self.open[first]
        if cell is None or cell.last < last or (words and cell.row < self.opened):
            self._close(first, last)
            cell = _Cell(first, last, self.row)
            self.cells.append(cell)
            self.open[first:last] = [cell] * (last - first)
        if words:
            pad = len(segment.words) - len(segment.words.rstrip())
            width = segment.right - segment.left
            wrapped = pad <= max(_WRAPPED_COLUMNS, _WRAPPED_SHARE * width)
            opens = self.opening and not ruled
            cell.lines.append(_Line(words, wrapped, self.row, opens, ruled))
        elif cell.lines and not ruled:
            cell.lines[-1].gap = True

    def _close(self, first: int, last: int) -> None:
        """End the cells that are open in these columns before the current row."""
        for column in range(first, last):
            cell = self.open[column]
            if cell is not None:
                cell.until = max(cell.row, self.row - 1)
                self.open[cell.first : cell.last] = [None] * (cell.last - cell.first)

    def done(self) -> list[_Cell]:
        """Return the cells, all of them ended."""
        self.row += 1
        self._close(0, len(self.open))
        return self.cells


class Grid:
    """The cells of a table. `misfit` is the mean distance of its bars from the boundaries."""

    def __init__(self, boundaries: Sequence[int], misfit: float, cells: list[_Cell]) -> None:
        self.columns = len(boundaries) - 1
        self.misfit = misfit
        self.cells = cells

    @classmethod
    def of(cls, lines: Sequence[str], wide: int) -> Grid:
        """Return the grid of the lines, with box characters and other ambiguous ones `wide`."""
        rows = [segments_of(line, wide) for line in lines]
        edges = boundaries(rows)
        filling = _Filling(len(edges) - 1)
        distance = bars = 0
        for segments in rows:
            placed = placed_segments(segments, edges)
            distance += sum(abs(s.left - edges[a]) + abs(s.right - edges[b]) for s, a, b in placed)
            bars += 2 * len(placed)
            filling.add(placed)
        return cls(edges, distance / max(bars, 1), filling.done())

    def lines(self) -> Iterator[str]:
        """Yield the rows as Markdown; a table of one column as plain lines."""
        if self.columns == 1:
            yield ""
            for cell in self.cells:
                yield from _unwrapped(cell.lines)
            yield ""
            return
        height = max((cell.until for cell in self.cells), default=-1) + 1
        rows = [[""] * self.columns for _ in range(height)]
        for cell in self.cells:
            parts = list(cell.by_row())
            for row, lines in parts:
                rows[row][cell.first] = " ".join(_unwrapped(lines)).replace("|", "/")
            words = rows[cell.row][cell.first]
            if len(parts) > 1 or len(words) > _MOST_REPEATED:
                continue
            for row in range(cell.row, cell.until + 1):
                for column in range(cell.first, self._until(cell, words)):
                    rows[row][column] = rows[row][column] or words
        # A column in which no text begins is a part of its neighbour.
        used = [
            c
            for c in range(self.columns)
            if any(rows[x.row][c] and x.first == c for x in self.cells)
        ]
        shown: list[list[str]] = []
        for cells in rows:
            filled = [cells[column] for column in used]
            if any(filled) and (not shown or shown[-1] != filled):
                shown.append(filled)
        yield ""
        yield from markdown_rows(shown)

    def _until(self, cell: _Cell, words: str) -> int:
        """Return the column before which a cell is repeated: its own one, or all that it spans.

        A short heading of the first row counts for each of its columns, and so does a short value
        behind the label of its row, unless all of its columns are below one heading that has no
        headings of its own. A line over the whole table counts once.
        """
        whole = cell.last - cell.first == self.columns
        heads = [head for head in self.cells if not head.row]
        below_one = all(not head.until for head in heads) and any(
            head.first <= cell.first and cell.last <= head.last for head in heads
        )
        across = not whole and (not cell.row or (cell.first > 0 and not below_one))
        return cell.last if across and len(words) <= _MOST_REPEATED_ACROSS else cell.first + 1


def _unwrapped(lines: Sequence[_Line]) -> list[str]:
    """Return lines, each joined to the line before if that one was wrapped at the cell's edge.

    A line is often cut inside a word: Kiwi decides whether a blank belongs there. A line that
    begins an item is never joined.
    """
    joined = [
        index > 0 and lines[index - 1].wrapped and _ITEM.match(line.words) is None
        for index, line in enumerate(lines)
    ]
    seams = [(lines[i - 1].words, lines[i].words) for i in range(1, len(lines)) if joined[i]]
    blanks = iter(blanks_between(seams))
    out: list[str] = []
    for line, join in zip(lines, joined, strict=True):
        if join:
            out[-1] += f" {line.words}" if next(blanks) else line.words
        else:
            out.append(line.words)
    return out
