"""Read the text layer of a PDF page as lines in reading order; turn sideways pages upright."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pypdfium2
import pypdfium2.raw as raw

from kofinlaw.data.readers.paged.page_letters import PageLetters, character
from kofinlaw.data.readers.paged.page_lines import Line
from kofinlaw.data.readers.paged.pdf_tables import Table, tables_of
from kofinlaw.data.readers.paged.reading_order import Ordered, Piece, reading_order
from kofinlaw.data.readers.tables import markdown_rows

__all__ = ["lines_of_page", "turn_upright"]

_WIDE = 0.8  # of the size of the characters: a wider gap splits a line into pieces
_CELLS = 2.0  # a line with such a gap is a row of cells
_SAMPLE = 400  # characters of a page whose direction is asked for
_STRAY = 20  # characters in another direction make the order of a page uncertain


def turn_upright(
    page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, codes: Sequence[int]
) -> tuple[bool, bool]:
    """Turn a page in memory so that most of its text runs from left to right.

    Returns (whether the page was changed and must be opened again, whether some of its text runs in
    another direction).
    """
    turns = Counter[int]()
    seen = [index for index, code in enumerate(codes) if character(code).strip()]
    step = max(1, len(seen) // _SAMPLE)
    for index in seen[::step]:
        angle = raw.FPDFText_GetCharAngle(text_page.raw, index) / (3.141592653589793 / 2)
        if abs(angle - round(angle)) < 0.06:  # a diagonal text is a watermark
            turns[round(angle) % 4] += 1
    quarter = max(sorted(turns), key=lambda turn: turns[turn]) if turns else 0
    mixed = (sum(turns.values()) - turns[quarter]) * step >= _STRAY
    if not quarter and not page.get_rotation():
        return False, mixed
    if quarter:
        left, bottom, right, top = page.get_mediabox()
        # Clockwise text is turned back: (x, y) to (a x + c y + e, b x + d y + f)
        a, b, c, d, e, f = {
            1: (0, 1, -1, 0, top, -left),
            2: (-1, 0, 0, -1, right, top),
            3: (0, -1, 1, 0, -bottom, right),
        }[quarter]
        matrix = raw.FS_MATRIX(a, b, c, d, e, f)
        raw.FPDFPage_TransFormWithClip(page.raw, ctypes.byref(matrix), None)
        width, height = right - left, top - bottom
        box = (0, 0, width, height) if quarter == 2 else (0, 0, height, width)
        page.set_mediabox(*box)
        page.set_cropbox(*box)
    page.set_rotation(0)
    return True, mixed


def lines_of_page(
    page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, codes: Sequence[int]
) -> tuple[tuple[Line, ...], bool]:
    """Return (the lines of a page in reading order with tables as rows, whether it is sure)."""
    height = page.get_height() or 1.0
    letters = PageLetters(text_page, codes)
    read = _Pieces(letters, tables_of(page, letters))
    order = reading_order(read.pieces)
    groups = read.layer() if order.lines is None else order.lines
    lines: list[Line] = []
    for group in groups:
        parts: list[Piece] = []
        for piece in group:
            if (table := read.tables.get(piece.start)) is None:
                parts.append(piece)
                continue
            lines += read.line(parts, height, order)
            lines += _rows(table)
            parts = []
        lines += read.line(parts, height, order)
    return tuple(lines), order.sure


class _Pieces:
    """The pieces of a page in the order of its text layer.

    `ends` maps the start of a piece to its end, `line_of` to the number of its line in the text
    layer, `tables` to the ruled table that it is.
    """

    def __init__(self, page: PageLetters, tables: Sequence[Table]) -> None:
        self._page = page
        self.pieces: list[Piece] = []
        self.ends: dict[int, int] = {}
        self.line_of: dict[int, int] = {}
        self.tables: dict[int, Table] = {}
        shown: set[int] = set()
        for number, (start, end) in enumerate(page.lines):
            for first, last in self._split(start, end):
                self._add(first, last, number, tables, shown)

    def _split(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return (first, behind the last) visible character of each piece of a line."""
        visible = [i for i in range(start, end) if self._page.letters[i].strip()]
        if not visible:
            return []
        out, first = [], visible[0]
        for one, other in pairwise(visible):
            if other == one + 1 and not self._page.letters[one].endswith(" "):
                continue
            left, bottom, right, top = self._page.box(one)
            next_left = self._page.box(other)[0]
            if next_left - right > _WIDE * abs(top - bottom) or next_left < left:
                out.append((first, one + 1))
                first = other
        return [*out, (first, visible[-1] + 1)]

    def _add(
        self, first: int, last: int, number: int, tables: Sequence[Table], shown: set[int]
    ) -> None:
        left, bottom, _, top = self._page.box(first)
        right = self._page.box(last - 1)[2]
        inside = next((t for t in tables if t.holds(left, (bottom + top) / 2)), None)
        if inside is None:
            text = self._text(first, last)
            piece = Piece(text, first, left, right, bottom, top, abs(top - bottom))
        elif id(inside) in shown:
            return
        else:
            shown.add(id(inside))
            self.tables[first] = inside
            piece = Piece(
                "", first, inside.columns[0], inside.columns[-1], inside.lines[-1],
                inside.lines[0], 0.0,
            )  # fmt: skip
        self.pieces.append(piece)
        self.ends[first] = last
        self.line_of[first] = number

    def _text(self, first: int, last: int) -> str:
        return "".join(self._page.letters[first:last]).strip()

    def layer(self) -> list[list[Piece]]:
        """Return the pieces of each line of the text layer, in its order."""
        lines: dict[int, list[Piece]] = {}
        for piece in self.pieces:
            lines.setdefault(self.line_of[piece.start], []).append(piece)
        return list(lines.values())

    def line(self, pieces: Sequence[Piece], height: float, order: Ordered) -> list[Line]:
        """Return pieces as one line; nothing without pieces."""
        if not pieces:
            return []
        first, last = pieces[0], pieces[-1]
        words = first.text
        for before, piece in pairwise(pieces):
            end = self.ends[before.start]
            same = self.line_of[piece.start] == self.line_of[before.start] and end <= piece.start
            between = "".join(self._page.letters[end : piece.start]) if same else ""
            words += (between or " ") + piece.text
        right = last.right + order.shifts.get(last.start, 0.0)
        gap = max((b.left - a.right for a, b in pairwise(pieces)), default=0.0)
        if last.start in order.ends or gap > _CELLS * first.size:
            right = 0.0  # such a line is never continued
        return [Line(words, right, first.middle / height, first.size)]


def _rows(table: Table) -> list[Line]:
    """Return the rows of a table as lines that are never joined and never in a margin."""
    rows = [row for row in markdown_rows(table.rows) if row]
    return [Line(row, 0.0, 0.5, 0.0) for row in rows]
