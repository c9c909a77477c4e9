"""Convert tables that are drawn with box characters (`┌─┬┐│├┼┃━` and siblings) to Markdown tables.

The bars of the rules give the columns. The text between two rules is a row: its lines are joined.
A short cell that spans several rows is repeated in each, and a short heading in each of its
columns. A frame around tables or text is removed.

Box characters are counted as two columns wide, as in Korean fonts, or as one, whichever makes the
bars of the lines meet.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from kofinlaw.data.korean.words import blanks_between
from kofinlaw.data.readers.tables import markdown_rows, plain_table

__all__ = ["drawn_tables", "holds_drawing"]

_BOX = re.compile(r"[\u2500-\u257f]")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_MOST_BLANK_LINES = 2  # between two lines of one table: texts are often written double-spaced
_MOST_FRAMES = 6  # nested
_SAME_BAR = 2  # columns: bars at this distance are one boundary
_MOST_REPEATED = 40  # characters of a cell that is repeated where it spans rows
_MOST_REPEATED_ACROSS = 24  # characters of a cell of the first row that is repeated over columns
# A line that ends this near to the edge of its cell (share of the width, or columns) was wrapped.
_WRAPPED_SHARE = 0.12
_WRAPPED_COLUMNS = 2
_ITEM = re.compile(
    r"(?:\d{1,3}(?:의\d+)?[.)]|\(\d{1,3}\)|[가-하][.)]|\([가-하]\)|[①-⑳㉑-㉟㉮-㉻]|[-·•※*○●□■◦▪ㅇ?])\s?\S"
)


def drawn_tables(text: str) -> str:
    """Return the text with its drawn tables as Markdown tables; other text stays unchanged.

    No box character is left in a table or heading. Raises nothing: lines that form no table become
    their words, cells between bars.
    """
    if not _BOX.search(text):
        return text
    return "\n".join(_converted(text.split("\n"), 0))


def holds_drawing(line: str) -> bool:
    """Return whether a line has a box character."""
    return bool(_BOX.search(line))


def _converted(lines: Sequence[str], depth: int) -> Iterator[str]:
    """Yield the lines with each run of drawn lines as a table."""
    block: list[str] = []
    blank = 0
    for line in lines:
        if _HEADING.match(line) and _BOX.search(line):
            line = _BOX.sub("", line).rstrip()
            if not line.strip(" #"):
                continue
        drawn = _drawn(line)
        if not line.strip() and block and blank < _MOST_BLANK_LINES:
            blank += 1
            continue
        if block and (not drawn or _ends(block[-1])):
            yield from _table(block, depth)
            block = []
        if drawn:
            block.append(line.rstrip())
        else:
            yield from [""] * blank
            yield line
        blank = 0
    if block:
        yield from _table(block, depth)


@lru_cache(maxsize=256)
def _arms(character: str) -> frozenset[str]:
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


def _is_bar(character: str) -> bool:
    """Return whether the character has a line up or down: `│`, `├`, `┬`."""
    return bool(_arms(character) & {"up", "down"})


def _is_corner(character: str) -> bool:
    arms = _arms(character)
    return len(arms) == 2 and len(arms & {"up", "down"}) == 1


def _is_rule(words: str) -> bool:
    """Return whether the text between two bars is a horizontal line."""
    bare = "".join(words.split())
    return bool(bare) and all(_arms(c) and not _is_bar(c) for c in bare)


def _drawn(line: str) -> bool:
    """Return whether a line belongs to a drawing: it has a bar, or is nothing but a rule."""
    return any(_is_bar(c) for c in line) or (_is_rule(line) and len(line.strip()) > 1)


def _ends(line: str) -> bool:
    """Return whether the line is the lower edge of a table."""
    bare = line.strip()
    return _is_corner(bare[0]) and "up" in _arms(bare[0])


def _table(lines: Sequence[str], depth: int) -> Iterator[str]:
    """Yield the lines of one drawn table as Markdown, or as words if it has no columns."""
    if not any(_is_bar(c) for line in lines for c in line):
        yield ""
        return
    inside = _inside_frame(lines)
    if inside is not None and depth < _MOST_FRAMES:
        yield from _converted(inside, depth + 1)
        return
    if inside is None and _nested(lines):
        yield from (words for line in lines if (words := plain_table(line)))
        yield ""
        return
    grids = [_Grid.of(lines, wide) for wide in (2, 1)]
    yield from min(grids, key=lambda grid: grid.misfit).lines()


def _nested(lines: Sequence[str]) -> bool:
    """Return whether a corner lies inside the outer edges: a table within a table."""
    return any(_is_corner(c) for line in lines for c in line.strip()[1:-1])


def _inside_frame(lines: Sequence[str]) -> list[str] | None:
    """Return the lines inside a frame without columns that holds tables; else None."""
    bare = [line.strip() for line in lines]
    if not _nested(lines) or len(bare) < 3 or any(_is_bar(c) for c in bare[0][1:-1]):
        return None
    out = []
    for line in bare:
        if not _is_bar(line[0]) or not (_is_bar(line[-1]) or line is bare[-1]):
            return None
        inner = line[1:-1]
        out.append("" if _is_rule(inner) else inner)
    return out


@dataclass(slots=True)
class _Cell:
    """A cell: the columns from `first` to before `last`, the rows that it spans, and its lines.

    `lines` are (text, whether it ends at the right edge of the cell, so that it was wrapped there).
    """

    first: int
    last: int
    row: int
    until: int = -1
    lines: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(slots=True)
class _Segment:
    """The text between two bars of a line: display columns of the bars, and whether a rule."""

    left: int
    right: int
    words: str
    rule: bool


class _Filling:
    """Fills the cells of a table line by line; `open[column]` is the cell that continues there."""

    def __init__(self, columns: int) -> None:
        self.cells: list[_Cell] = []
        self.open: list[_Cell | None] = [None] * columns
        self.row = 0
        self.opened = 0  # the row that the last blank line opened
        self.after_blank = False

    def add(self, placed: Sequence[tuple[_Segment, int, int]]) -> None:
        """Add the next line: segments with the indexes of their boundaries."""
        filled = sum(bool(segment.words.strip()) for segment, _, _ in placed)
        started = bool(self.cells) and self.cells[-1].row == self.row
        if any(segment.rule for segment, _, _ in placed):
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
                self._add_words(segment, first, last)

    def _open_row(self) -> None:
        """Start a row after a blank line; only the cell of the first column may span it."""
        self.row = self.opened = self.row + 1
        self.after_blank = False
        self._close(self.open[0].last if self.open[0] else 0, len(self.open))

    def _add_words(self, segment: _Segment, first: int, last: int) -> None:
        words = " ".join(_BOX.sub(" ", segment.words).split())  # a fraction's line is not a word
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
            cell.lines.append((words, wrapped))

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


class _Grid:
    """The cells of a table. `misfit` is the mean distance of its bars from the boundaries."""

    def __init__(self, boundaries: Sequence[int], misfit: float, cells: list[_Cell]) -> None:
        self.columns = len(boundaries) - 1
        self.misfit = misfit
        self.cells = cells

    @classmethod
    def of(cls, lines: Sequence[str], wide: int) -> _Grid:
        """Return the grid of the lines, with box characters and other ambiguous ones `wide`."""
        rows = [_segments(line, wide) for line in lines]
        edges = _boundaries(rows)
        filling = _Filling(len(edges) - 1)
        distance = bars = 0
        for segments in rows:
            placed = _placed(segments, edges)
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
            words = " ".join(_unwrapped(cell.lines)).replace("|", "/")
            rows[cell.row][cell.first] = words
            if len(words) > _MOST_REPEATED or cell.last - cell.first == self.columns:
                continue
            across = not cell.row and len(words) <= _MOST_REPEATED_ACROSS
            for row in range(cell.row, cell.until + 1):
                for column in range(cell.first, cell.last if across else cell.first + 1):
                    rows[row][column] = rows[row][column] or words
        used = [column for column in range(self.columns) if any(row[column] for row in rows)]
        shown: list[list[str]] = []
        for cells in rows:
            filled = [cells[column] for column in used]
            if any(filled) and (not shown or shown[-1] != filled):
                shown.append(filled)
        yield ""
        yield from markdown_rows(shown)


def _unwrapped(lines: Sequence[tuple[str, bool]]) -> list[str]:
    """Return lines, each joined to the line before if that one was wrapped at the cell's edge.

    A line is often cut inside a word: Kiwi decides whether a blank belongs there. A line that
    begins an item is never joined.
    """
    joined = [
        index > 0 and lines[index - 1][1] and _ITEM.match(words) is None
        for index, (words, _) in enumerate(lines)
    ]
    seams = [(lines[i - 1][0], lines[i][0]) for i in range(1, len(lines)) if joined[i]]
    blanks = iter(blanks_between(seams))
    out: list[str] = []
    for (words, _), join in zip(lines, joined, strict=True):
        if join:
            out[-1] += f" {words}" if next(blanks) else words
        else:
            out.append(words)
    return out


def _segments(line: str, wide: int) -> list[_Segment]:
    """Return the texts between the bars of a line, with the text outside of the outer bars."""
    out: list[_Segment] = []
    left, words, column = -1, "", 0
    for character in line:
        if _is_bar(character):
            if out or column > 0 or words:
                out.append(_Segment(left, column, words, _is_rule(words)))
            elif column == 0:
                out.append(_Segment(-1, 0, "", False))
            left, words = column, ""
        else:
            words += character
        column += _width(character, wide)
    out.append(_Segment(left, column, words, _is_rule(words)))
    if not out[0].words.strip():
        out = out[1:]  # blanks before the outer bar
    if out and not out[-1].words.strip() and len(out) > 1:
        out = out[:-1]
    return out


@lru_cache(maxsize=4096)
def _width(character: str, wide: int) -> int:
    if unicodedata.combining(character):
        return 0
    kind = unicodedata.east_asian_width(character)
    return 2 if kind in "WF" else wide if kind == "A" else 1


def _boundaries(rows: Sequence[Sequence[_Segment]]) -> list[int]:
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


def _placed(segments: Sequence[_Segment], edges: Sequence[int]) -> list[tuple[_Segment, int, int]]:
    """Return each segment with the indexes of its boundaries: the nearest ones, in order.

    Lost characters move the bars of a line. A segment without room is joined to the one before.
    """
    out: list[tuple[_Segment, int, int]] = []
    last = 0
    for number, segment in enumerate(segments):
        first = last if number else _nearest(edges, segment.left, 0, len(edges) - 2)
        left_over = len(segments) - number - 1
        highest = max(first + 1, len(edges) - 1 - left_over)
        if first >= len(edges) - 1:
            if out and segment.words.strip() and not segment.rule:
                held, a, b = out[-1]
                words = f"{held.words.rstrip()} {segment.words}"
                out[-1] = (_Segment(held.left, held.right, words, False), a, b)
            continue
        last = _nearest(edges, segment.right, first + 1, min(highest, len(edges) - 1))
        out.append((segment, first, last))
    return out


def _nearest(edges: Sequence[int], column: int, low: int, high: int) -> int:
    after = bisect_left(edges, column, low, high + 1)
    near = [index for index in (after - 1, after) if low <= index <= high]
    return min(near, key=lambda index: (abs(edges[index] - column), index))
