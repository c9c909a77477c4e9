"""Convert RTF to Markdown: Korean in its several encodings, tables, headings by outline level."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from kofinlaw import UserError
from kofinlaw.data.readers.office.cells import checked_rows
from kofinlaw.data.readers.rtf_groups import shown_rtf
from kofinlaw.data.readers.tables import markdown_rows, tidy_markdown

__all__ = ["rtf_to_markdown"]

# Characters of the private use area mark what striprtf drops: ends of cells and rows, and headings.
_CELL, _ROW, _HEADING, _END = "\ue001", "\ue002", "\ue003", "\ue004"
_RAW_BYTES = re.compile(rb"[\x80-\xff]")
_ROW_START = re.compile(r"\\trowd(?![a-z])")
_CELL_EDGE = re.compile(r"((?:\\cl[a-z]+-?\d* ?|\\brdr[a-z]*\d* ?){0,99})\\cellx(-?\d{1,9})")
_ROW_END = re.compile(r"\\row(?![a-z])")
_HEX_LINES = re.compile(r"(\\'[0-9a-fA-F]{2})[\r\n]+(?=\\')")
_HEX_RUN = re.compile(r"((?:\\'[0-9a-fA-F]{2})+)([A-Za-z])?")
_PICTURE = re.compile(r"(?:[0-9a-fA-F]{2}\s*){256,}")
_SAME_EDGE = 60  # twips: edges of cells that are closer count as one
_MAX_COLUMNS = 500
_TITLE = re.compile(r"\{\\title ([^{}]*)\}")
_KOREAN = re.compile(r"\\ansicpg949(?!\d)")


def rtf_to_markdown(data: bytes) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of an RTF file.

    Raises UserError if the bytes are not RTF or hold no text that can be decoded, or if a table is
    too large.
    """
    if not data.lstrip()[:5] == b"{\\rtf":
        raise UserError("this is not an RTF file", remedy="save it again as RTF or DOCX")
    raw = _RAW_BYTES.sub(lambda match: b"\\'%02x" % match[0][0], data).decode("ascii")
    title = match[1] if (match := _TITLE.search(raw)) else ""
    prepared = _prepared(raw)
    head = prepared[: prepared.find("\\deff")] if "\\deff" in prepared[:400] else "{\\rtf1"
    meta = {"title": _text(f"{head}\\pard {_paired_hex(title)}}}").strip()} if title else {}
    text = tidy_markdown(_lines(_text(prepared)))
    return text, {name: value for name, value in meta.items() if value}


def _text(raw: str) -> str:
    from striprtf.striprtf import rtf_to_text

    try:
        return str(rtf_to_text(raw, encoding="cp949", errors="replace"))
    except Exception as error:  # a damaged control word causes errors of any type
        raise UserError(f"the RTF file is damaged: {type(error).__name__}: {error}") from error


def _prepared(raw: str) -> str:
    """Return RTF that striprtf reads without loss."""
    raw = shown_rtf(_PICTURE.sub("", raw))
    raw = _paired_hex(_HEX_LINES.sub(r"\1", raw))
    # Without this, striprtf searches every field for a link up to the end of its line.
    raw = raw.replace("\\field{", "\\field {")
    if _KOREAN.search(raw[:2000]):
        # Writers of Korean text give its fonts the charset of the system, and striprtf takes that
        # for Western.
        raw = re.sub(r"\\fcharset0(?!\d)", r"\\fcharset129", raw)
    raw = re.sub(r"\\outlinelevel([0-8])(?!\d) ?", _HEADING + r"\1", raw)
    return _with_marked_rows(raw)


def _with_marked_rows(raw: str) -> str:
    """Mark the cells of all table rows; one pass, also where rows have no end."""
    parts, done = [], 0
    while (start := _ROW_START.search(raw, done)) and (end := _ROW_END.search(raw, start.end())):
        parts += [raw[done : start.start()], _marked_row(raw[start.start() : end.end()])]
        done = end.end()
    return "".join([*parts, raw[done:]])


def _paired_hex(raw: str) -> str:
    """Write the second byte of a character in hexadecimal if it is written as a letter."""

    def pair(match: re.Match[str]) -> str:
        run, letter = match[1], match[2]
        if not letter:
            return match[0]
        codes = bytes.fromhex(run.replace("\\'", ""))
        at = 0
        while at < len(codes):
            at += 2 if codes[at] > 0x80 else 1
        return f"{run}\\'{ord(letter):02x}" if at > len(codes) else match[0]

    return _HEX_RUN.sub(pair, raw)


def _marked_row(row: str) -> str:
    """Mark the ends of the cells of a table row, and join the paragraphs inside a cell.

    Behind the mark of the row are its cells: the right edge of each one in twips, with `^` for a
    cell that continues the one above, and `<` for one that continues the one on its left.
    """
    cells = []
    for properties, edge in _CELL_EDGE.findall(row):
        above, left = ("clvmrg" in properties, "clmrg" in properties)
        cells.append(f"{'^' if above else '<' if left else ''}{edge}")
    row = row.replace("|", "/")
    row = re.sub(r"\\(?:par|line)(?![a-z]) ?", _END, row)
    row = re.sub(r"\\(?:nest)?cell(?![a-z]) ?", _CELL, row)
    return re.sub(r"\\row(?![a-z]) ?", lambda _: f"{_ROW}{';'.join(cells)}\\line ", row)


def _lines(text: str) -> Iterator[str]:
    rows: list[tuple[list[str], list[str]]] = []
    frame: list[str] = []  # the cells of the last row with the ends of their paragraphs
    for line in text.split("\n"):
        row, is_row, places = line.partition(_ROW)
        if is_row:
            cells = [re.sub(_HEADING + r"\d", "", cell) for cell in row.split(_CELL)[:-1]]
            words = [" ".join(cell.replace(_END, " ").split()) for cell in cells]
            rows.append((words, places.split(";") if places.strip() else []))
            frame = cells
            continue
        yield from _table(rows, frame)
        rows = []
        heading = re.search(_HEADING + r"(\d)", line)
        words_of_line = " ".join(re.sub(_HEADING + r"\d", "", line.replace(_CELL, " ")).split())
        if words_of_line:
            yield (
                f"{'#' * min(6, int(heading[1]) + 1)} {words_of_line}" if heading else words_of_line
            )
            yield ""
    yield from _table(rows, frame)


def _table(rows: list[tuple[list[str], list[str]]], frame: list[str]) -> Iterator[str]:
    """Yield rows in Markdown, each as long as the longest one; merged cells repeat their text.

    A table of one cell is a frame around its paragraphs. Raises UserError if the table is too
    large.
    """
    if sum(len(words) for words, _ in rows) == 1:
        for part in frame[0].split(_END):
            if words_of_part := " ".join(part.split()):
                yield from (words_of_part, "")
        return
    known = all(len(words) == len(places) for words, places in rows)
    edges = _merged({int(place.lstrip("^<")) for _, places in rows for place in places})
    if not known or len(edges) > _MAX_COLUMNS:
        yield from markdown_rows(checked_rows([words for words, _ in rows]))
        return
    out: list[list[str]] = []
    for words, places in rows:
        row: list[str] = []
        for text, place in zip(words, places, strict=True):
            column = bisect_right(edges, int(place.lstrip("^<")) + _SAME_EDGE)
            if place.startswith("^") and out and len(row) < len(out[-1]):
                text = out[-1][len(row)]
            elif place.startswith("<") and row:
                text = row[-1]
            row += [text] * max(0 if row and len(row) >= column else 1, column - len(row))
        out.append(row)
    yield from markdown_rows(checked_rows(out))


def _merged(edges: set[int]) -> list[int]:
    """Return edges in order; edges that are almost equal count as one."""
    out: list[int] = []
    for edge in sorted(edges):
        if not out or edge - out[-1] > _SAME_EDGE:
            out.append(edge)
    return out
