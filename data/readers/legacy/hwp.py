"""Convert HWP 5 to Markdown: headings by style, paragraphs, tables as rows, notes in brackets.

Source: Hancom, 한글 문서 파일 형식 5.0 (revision 1.3). The names of sections below are its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.readers.legacy.containers import Container, starts_with
from kofinlaw.data.readers.legacy.hwp_info import FORMATS, DocInfo
from kofinlaw.data.readers.legacy.hwp_records import Record, inflate, record_tree
from kofinlaw.data.readers.office.cells import checked_rows
from kofinlaw.data.readers.office.docx_lists import is_bullet
from kofinlaw.data.readers.office.hancom import hancom_symbols
from kofinlaw.data.readers.office.number_marks import number_mark
from kofinlaw.data.readers.tables import cell_text, markdown_rows, tidy_markdown
from kofinlaw.units import MIB

__all__ = ["hwp_to_markdown"]

_PARAGRAPH, _TEXT, _CONTROL, _LIST, _TABLE = 66, 67, 71, 72, 77
_SAVE_AS = "save it as HWPX, DOCX or PDF in Hancom Office"
# Bits of the file header
_COMPRESSED, _PASSWORD, _DISTRIBUTION, _DRM, _PUBLIC_KEY = 1, 2, 4, 16, 256
# Control characters that take one place; the others below 32 take eight.
_SHORT = {0, 10, 13, *range(24, 32)}
# Characters that represent a control record, in order: tables, drawings, notes, fields …
_ANCHORS = {1, 2, 3, 11, 12, 14, 15, 16, 17, 18, 21, 22, 23}
_SHOWN = {9: " ", 10: "\n", 24: "-", 30: " ", 31: " "}
_TABLE_ID, _DRAWING_ID = b" lbt", b" osg"
_NOTE_IDS = (b"  nf", b"  ne")
_SECTION_ID, _NUMBER_ID, _EQUATION_ID, _EQUATION = b"dces", b"onta", b"deqe", 88
_COUNTED = (3, 4, 5)  # the numbers of pictures, tables and equations
_CELL_PLACE = 8  # bytes before column, row and spans of a cell
_MAX_CELLS = 1_000_000  # of all tables of a section


def hwp_to_markdown(path: Path, expanded_mebibytes: int) -> str:
    """Return the Markdown of an HWP 5 file. The title that it states is often that of the template,
    so it is not read.

    Raises UserError if the file is damaged or too large, of version 3, encrypted, or a distribution
    document (배포용 문서).
    """
    if starts_with(path, b"HWP Document File V3"):
        raise UserError("the file has the format of HWP 3", remedy=_SAVE_AS)
    limit = expanded_mebibytes * MIB
    with Container(path, expanded_mebibytes) as container:
        names = container.names()
        if "FileHeader" not in names:
            raise UserError("this is not an HWP 5 file")
        compressed = _is_compressed(container.read("FileHeader"))

        def stream(name: str) -> bytes:
            nonlocal limit
            data = container.read(name)
            data = inflate(data, limit, name) if compressed else data
            limit -= len(data)
            return data

        info = DocInfo(stream("DocInfo") if "DocInfo" in names else b"")
        sections = sorted(
            (name for name in names if re.fullmatch(r"BodyText/Section\d+", name)),
            key=lambda name: int(name.rpartition("Section")[2]),
        )
        if not sections:
            raise UserError("the HWP file has no text")
        lines: list[str] = []
        for name in sections:
            tree = record_tree(stream(name), name)
            if _cells(tree) > _MAX_CELLS:
                raise UserError(f"the tables of {name} have more than {_MAX_CELLS} cells")
            for record in tree:
                if record.tag == _PARAGRAPH:
                    lines.extend(_paragraph(record, info))
    return hancom_symbols(tidy_markdown(lines))


def _is_compressed(header: bytes) -> bool:
    """Return whether the streams are compressed; raises UserError for what cannot be read."""
    if not header.startswith(b"HWP Document File") or len(header) < 40:
        raise UserError("this is not an HWP 5 file")
    flags = int.from_bytes(header[36:40], "little")
    if flags & (_PASSWORD | _PUBLIC_KEY):
        raise UserError("the HWP file is encrypted", remedy="save it without a password")
    if flags & _DRM:
        raise UserError("the HWP file is protected by DRM", remedy="save it without protection")
    if flags & _DISTRIBUTION:
        raise UserError(
            "the HWP file is a distribution document (배포용 문서), whose text is encrypted",
            remedy="ask for the ordinary document, or save it as PDF",
        )
    return bool(flags & _COMPRESSED)


def _paragraph(record: Record, info: DocInfo) -> Iterator[str]:
    """Yield the line of a paragraph, then the texts of its drawings and the rows of its tables."""
    controls = [child for child in record.children if child.tag == _CONTROL]
    line = _line(record, controls, info)
    if line:
        yield info.prefix(record) + line
        yield ""
    for control in controls:
        kind = control.data[:4]
        if kind == _TABLE_ID:
            yield from _table(control, info)
        elif kind == _DRAWING_ID:
            for inner in _paragraphs_below(control):
                yield from _paragraph(inner, info)


def _line(record: Record, controls: Sequence[Record], info: DocInfo) -> str:
    """Return the automatic number and the text of a paragraph; nothing for a bullet alone."""
    for control in controls:
        if control.data[:4] == _SECTION_ID:
            info.begin_section(control.number(18, 2))
    text = _words(record, controls, info).strip()
    mark = info.mark(record)
    return f"{mark}{text}".strip() if text or not is_bullet(mark) else ""


def _words(record: Record, controls: Sequence[Record], info: DocInfo) -> str:
    """Return the text of a paragraph, with its notes in brackets where they are anchored."""
    anchored = iter(controls)
    out: list[str] = []
    for child in record.children:
        if child.tag != _TEXT:
            continue
        units = memoryview(child.data[: len(child.data) // 2 * 2])
        at = start = 0
        while at < len(units):
            code = units[at] | units[at + 1] << 8
            if code >= 32:
                at += 2
                continue
            out.append(bytes(units[start:at]).decode("utf-16-le", "replace"))
            out.append(_SHOWN.get(code, ""))
            if code in _ANCHORS and (control := next(anchored, None)) is not None:
                out.append(_shown_control(control, info))
            at += 2 if code in _SHORT else 16
            start = at
        out.append(bytes(units[start:at]).decode("utf-16-le", "replace"))
    return "".join(out)


def _shown_control(control: Record, info: DocInfo) -> str:
    """Return a note in brackets, the number of a caption or the words of an equation; empty for
    other controls.
    """
    kind = control.data[:4]
    if kind in _NOTE_IDS:
        words = " ".join(_plain(control, info).split())
        return f" ({words})" if words else ""
    if kind == _NUMBER_ID and control.number(4, 4) & 15 in _COUNTED:
        code = control.number(4, 4) >> 4 & 255
        number = number_mark(control.number(8, 2), FORMATS[code] if code < len(FORMATS) else "")
        before, behind = (control.number(at, 2) for at in (12, 14))
        return (chr(before) if before else "") + number + (chr(behind) if behind else "")
    if kind == _EQUATION_ID:
        script = next((child for child in control.children if child.tag == _EQUATION), None)
        end = 6 + 2 * script.number(4, 2) if script is not None else 0
        return script.data[6:end].decode("utf-16-le", "replace") if script is not None else ""
    return ""


def _plain(record: Record, info: DocInfo) -> str:
    """Return all words of the paragraphs below a record, also those of inner tables."""
    paragraphs = _paragraphs_below(record)
    out = []
    for paragraph in paragraphs:
        controls = [child for child in paragraph.children if child.tag == _CONTROL]
        out.append(_line(paragraph, controls, info))
        inner = (c for c in controls if c.data[:4] in (_TABLE_ID, _DRAWING_ID))
        out += [_plain(control, info) for control in inner]
    return " ".join(out)


def _paragraphs_below(record: Record) -> Iterator[Record]:
    """Yield the paragraphs below a record, without those inside them."""
    for child in record.children:
        if child.tag == _PARAGRAPH:
            yield child
        else:
            yield from _paragraphs_below(child)


def _table(control: Record, info: DocInfo) -> Iterator[str]:
    """Yield the caption of a table and its rows; merged cells repeat their text.

    Raises UserError if the table is too large.
    """
    table = next((child for child in control.children if child.tag == _TABLE), None)
    if table is None:
        return
    height, width = table.number(4, 2), table.number(6, 2)
    frame = height == width == 1  # around paragraphs
    rows = [[""] * width for _ in range(height)]
    before = True
    place: Record | None = None
    texts: list[str] = []
    for child in [*control.children, Record(_LIST, b"")]:
        if child is table:
            before = False
        elif before or (frame and place is not None):
            if child.tag == _PARAGRAPH:
                yield from _paragraph(child, info)
        elif child.tag == _LIST:
            if place is not None:
                _fill(rows, place, cell_text(" ".join(texts)))
            place, texts = child, []
        elif child.tag == _PARAGRAPH:
            texts.append(_plain(Record(0, b"", [child]), info))
    yield from markdown_rows(checked_rows(rows))


def _cells(records: Sequence[Record]) -> int:
    """Return the number of cells of all tables in records and below them."""
    return sum(
        (one.number(4, 2) * one.number(6, 2) if one.tag == _TABLE else 0) + _cells(one.children)
        for one in records
    )


def _fill(rows: Sequence[list[str]], place: Record, text: str) -> None:
    column, row, columns, height = (place.number(_CELL_PLACE + 2 * n, 2) for n in range(4))
    for line in rows[row : row + max(1, height)]:
        for at in range(column, min(len(line), column + max(1, columns))):
            line[at] = text
