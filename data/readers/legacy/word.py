"""Convert DOC (Word 97 to 2003) to Markdown: headings by style, tables as rows, notes in brackets.

Source: Microsoft, [MS-DOC] Word (.doc) Binary File Format; the numbers of sections are its own.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.readers.legacy.containers import Container
from kofinlaw.data.readers.legacy.word_runs import GoneRuns, modifiers
from kofinlaw.data.readers.office.cells import checked_rows
from kofinlaw.data.readers.tables import cell_text, markdown_rows, tidy_markdown

__all__ = ["doc_to_markdown"]

_MAGIC, _WORD_97 = 0xA5EC, 101
_ENCRYPTED, _SECOND_TABLE = 0x100, 0x200
_LENGTHS = 76  # offset of the lengths of the parts: text, footnotes, headers, …
_TABLES = 154  # offset of the (offset, length) pairs of the structures in the table stream
_PIECES, _PARAGRAPHS, _CHARACTERS = 33, 13, 12  # numbers of these pairs, 2.5.5
_FOOTNOTES, _ENDNOTES = (2, 3), (46, 47)
_PAGE = 512
_EIGHT_BITS = 0x40000000
_IN_TABLE, _ROW_END, _LIST = 0x2416, 0x2417, 0x460B  # sprmPFInTable, sprmPFTtp, sprmPIlfo, 2.6.2
_MARKS = "\r\x07\x0c"
_KEPT = "\x07\x13\x14\x15"  # ends of cells, and the parts of fields, keep their meaning
_SHOWN = {"\t": " ", "\x0b": "\n", "\x1e": "-", "\xa0": " ", "\x0e": "\n"}


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters `start` to `end`, at `offset` in the main stream, of one or two bytes each."""

    start: int
    end: int
    offset: int
    width: int


@dataclass(frozen=True, slots=True)
class _Format:
    """What a paragraph's properties say: its style, its place in a table, and if it is numbered."""

    style: int = 0
    in_table: bool = False
    row_end: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str
    mark: str
    format: _Format | None


def doc_to_markdown(path: Path, mebibytes: int) -> tuple[str, list[str]]:
    """Return (Markdown, warnings) of a DOC file without hidden and deleted text.

    Automatic numbers of lists are not part of its text; a warning counts the paragraphs.

    Raises UserError if the file is damaged, encrypted, too large, or older than Word 97.
    """
    with Container(path, mebibytes) as container:
        if "WordDocument" not in container.names():
            raise UserError("this is not a DOC file")
        main = container.read("WordDocument")
        magic, version = _numbers(main, 0, "HH")
        (flags,) = _numbers(main, 10, "H")
        if magic != _MAGIC:
            raise UserError("this is not a DOC file")
        if flags & _ENCRYPTED:
            raise UserError("the DOC file is encrypted", remedy="save it without a password")
        if version < _WORD_97:
            raise UserError("the file is older than Word 97", remedy="save it as DOCX")
        table = container.read("1Table" if flags & _SECOND_TABLE else "0Table")
    reader = _Reader(main, table)
    text = tidy_markdown(reader.lines())
    warning = (
        f"the automatic numbers of {reader.listed} paragraphs are not read; save the file as DOCX"
    )
    return text, [warning] if reader.listed else []


def _numbers(data: bytes, offset: int, form: str) -> tuple[int, ...]:
    """Return numbers at an offset; raises UserError where the data ends before them."""
    try:
        return struct.unpack_from(f"<{form}", data, offset)
    except struct.error as error:
        raise UserError("the DOC file is damaged: it ends early") from error


class _Reader:
    """Reads the paragraphs of a document from its two streams."""

    def __init__(self, main: bytes, table: bytes) -> None:
        self.listed = 0  # paragraphs with automatic numbers
        self._main = main
        self._table = table
        self._pieces = self._read_pieces()
        self._starts = [piece.start for piece in self._pieces]
        self._formats = dict(self._read_formats())
        self._gone = GoneRuns(main, self._pages(_CHARACTERS))
        self._lengths = _numbers(main, _LENGTHS, "8I")

    def lines(self) -> Iterator[str]:
        """Yield the Markdown lines of the text, then those of its text boxes."""
        text, footnotes, headers, macros, comments, endnotes, boxes, _ = self._lengths
        notes = dict(self._notes(_FOOTNOTES, text))
        before_endnotes = text + footnotes + headers + macros + comments
        notes |= self._notes(_ENDNOTES, before_endnotes)
        yield from _markdown(self._paragraphs(0, text, notes))
        first = before_endnotes + endnotes
        yield from _markdown(self._paragraphs(first, first + boxes, {}))

    def _structure(self, number: int) -> bytes:
        """Return a structure of the table stream by its number; empty if there is none."""
        offset, length = _numbers(self._main, _TABLES + 8 * number, "II")
        if offset + length > len(self._table):
            raise UserError("the DOC file is damaged: a table ends early")
        return self._table[offset : offset + length]

    def _read_pieces(self) -> list[_Piece]:
        """Return the pieces of the text in order, 2.8.35."""
        data, at = self._structure(_PIECES), 0
        while data[at : at + 1] == b"\x01":
            at += 3 + _numbers(data, at + 1, "H")[0]
        if data[at : at + 1] != b"\x02":
            raise UserError("the DOC file is damaged: no table of pieces")
        (length,) = _numbers(data, at + 1, "I")
        count = max(0, (min(length, len(data) - at - 5) - 4) // 12)
        places = _numbers(data, at + 5, f"{count + 1}I")
        pieces, total = [], 0
        for index, (start, end) in enumerate(pairwise(places)):
            (code,) = _numbers(data, at + 5 + 4 * (count + 1) + 8 * index + 2, "I")
            width = 1 if code & _EIGHT_BITS else 2
            offset = (code & (_EIGHT_BITS - 1)) // (2 if width == 1 else 1)
            total += (end - start) * width
            if end < start or total > len(self._main):
                raise UserError("the DOC file is damaged: its pieces overlap")
            if offset + (end - start) * width > len(self._main):
                raise UserError("the DOC file is damaged: a piece ends early")
            pieces.append(_Piece(start, end, offset, width))
        return pieces

    def _pages(self, structure: int) -> list[int]:
        """Return the numbers of the pages with the formats of paragraphs or characters, 2.8.5."""
        data = self._structure(structure)
        count = max(0, (len(data) - 4) // 8)
        numbers = _numbers(data, 4 * (count + 1), f"{count}I") if count else ()
        return [number & 0x3FFFFF for number in numbers]

    def _read_formats(self) -> Iterator[tuple[int, _Format]]:
        """Yield (offset behind a paragraph in the main stream, its format), 2.8.5 and 2.9.175."""
        for number in dict.fromkeys(self._pages(_PARAGRAPHS)):
            start = number * _PAGE
            page = self._main[start : start + _PAGE]
            if len(page) < _PAGE:
                continue
            runs = page[-1]
            for run in range(min(runs, (_PAGE - 5) // 17)):
                (end,) = _numbers(page, 4 * (run + 1), "I")
                at = 2 * page[4 * (runs + 1) + 13 * run]
                yield end, _format(page, at) if at else _Format()

    def _text(self, start: int, end: int) -> Iterator[tuple[str, int, int]]:
        """Yield (text, offset, bytes a character) of the pieces between two characters."""
        first = max(0, bisect_right(self._starts, start) - 1)
        for piece in self._pieces[first:]:
            low, high = max(start, piece.start), min(end, piece.end)
            if piece.start >= end:
                return
            if low < high:
                offset = piece.offset + (low - piece.start) * piece.width
                data = self._main[offset : offset + (high - low) * piece.width]
                if piece.width == 1:
                    yield data.decode("cp1252", "replace"), offset, 1
                else:  # halves of surrogate pairs count as characters
                    yield "".join(map(chr, struct.unpack(f"<{high - low}H", data))), offset, 2

    def _paragraphs(self, start: int, end: int, notes: dict[int, str]) -> Iterator[_Paragraph]:
        """Yield the paragraphs between two characters, with the notes at their references."""
        words: list[str] = []
        fields: list[bool] = []  # whether the text is an instruction of each open field
        hidden, place = 0, start
        for text, offset, width in self._text(start, end):
            for index, character in enumerate(text):
                if self._gone.holds(offset + index * width) and character not in _KEPT:
                    pass  # also the end of a paragraph: what is left joins the next one
                elif character in _MARKS:
                    known = self._formats.get(offset + (index + 1) * width)
                    self.listed += bool(known and known.listed)
                    yield _Paragraph(_joined(words), character, known)
                    words = []
                elif character == "\x13":
                    fields.append(True)
                    hidden += 1
                elif character in "\x14\x15" and fields:
                    hidden -= fields[-1]
                    fields[-1] = False
                    if character == "\x15":
                        fields.pop()
                elif not hidden:
                    words.append(notes.get(place, "") if character == "\x02" else character)
                place += 1
        if words:
            yield _Paragraph(_joined(words), "\r", None)

    def _notes(self, numbers: tuple[int, int], base: int) -> Iterator[tuple[int, str]]:
        """Yield (character of a reference, note in brackets), 2.8.18 and 2.8.19."""
        references, texts = (self._structure(number) for number in numbers)
        count = max(0, (len(references) - 4) // 6)
        if not count or len(texts) < 4 * (count + 1):
            return
        ends = _numbers(texts, 0, f"{count + 1}I")
        if any(start > end for start, end in pairwise(ends)):
            raise UserError("the DOC file is damaged: its notes overlap")
        for place, (start, end) in zip(
            _numbers(references, 0, f"{count}I"), pairwise(ends), strict=True
        ):
            paragraphs = self._paragraphs(base + start, base + end, {})
            words = " ".join(" ".join(one.text for one in paragraphs).split())
            if words:
                yield place, f" ({words})"


def _joined(words: Sequence[str]) -> str:
    """Return characters as text, with surrogate pairs joined and control characters removed."""
    text = "".join(_SHOWN.get(word, word) for word in words)
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "".join(c for c in text if c >= " " or c == "\n").strip()


def _format(page: bytes, at: int) -> _Format:
    """Return the format at an offset of a page, 2.9.178: a length, the style, then modifiers."""
    size = 2 * page[at] - 1 if page[at] else 2 * page[min(at + 1, _PAGE - 1)]
    at += 1 if page[at] else 2
    data = page[at : at + size]
    if len(data) < 2:
        return _Format()
    style = int.from_bytes(data[:2], "little")
    on = {modifier for modifier, operand in modifiers(data[2:]) if operand}
    return _Format(style, _IN_TABLE in on, _ROW_END in on, _LIST in on)


def _markdown(paragraphs: Iterator[_Paragraph]) -> Iterator[str]:
    """Yield paragraphs, and cells as rows."""
    rows: list[list[str]] = []
    cells: list[str] = []
    cell: list[str] = []
    frame: list[str] = []  # the paragraphs of the last cell
    for one in paragraphs:
        if one.mark == "\x07":
            # Without its format, an empty cell behind another one is the end of the row.
            ends = one.format.row_end if one.format else not one.text and not cell and bool(cells)
            if ends:
                rows.append(cells)
                cells = []
            else:
                frame = [*cell, one.text]
                cells.append(cell_text(" ".join(frame)))
            cell = []
        elif one.format and one.format.in_table:
            cell.append(one.text)
        else:
            yield from _rows([*rows, cells] if cells else rows, frame)
            rows, cells = [], []
            if one.text:
                level = one.format.style if one.format else 0
                yield f"{'#' * min(6, level)} {one.text}" if 1 <= level <= 9 else one.text
                yield ""
    yield from _rows([*rows, cells] if cells else rows, frame)


def _rows(rows: Sequence[list[str]], frame: Sequence[str]) -> Iterator[str]:
    """Yield rows in Markdown, each as long as the longest one; the paragraphs of a single cell.

    Raises UserError if the table is too large.
    """
    if sum(map(len, rows)) == 1:
        for text in filter(None, frame):
            yield from (text, "")
        return
    yield from markdown_rows(checked_rows(rows))
