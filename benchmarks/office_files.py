"""Write the office files of `first_hour.py`: one writer for each format, all from plain text.

The texts of an invented bank lie in `benchmarks/first_hour/documents`. Headings start with `#`,
tables with `|`, and every other line is a paragraph. DOCX, XLSX and PPTX come from their usual
libraries. PDF, HWPX, RTF and ODT are written here, so that the folder is the same on each machine.
The PDF has a text layer in a Korean font that the viewer supplies (nothing is embedded).
"""

from __future__ import annotations

import json
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import docx
import openpyxl
import pptx
from openpyxl.worksheet.worksheet import Worksheet
from pptx.util import Inches

__all__ = ["HERE", "PICTURE", "OfficeFile", "office_files", "write_folder"]

HERE = Path(__file__).parent / "first_hour"
PICTURE = "지점 약도.png"  # blank: without text to read, it must be listed with a reason


@dataclass(frozen=True)
class OfficeFile:
    """A file of the folder.

    Attributes:
        text: The file in `first_hour/documents` that holds its text.
        file: Its name, in composed Hangul.
        decomposed: Whether the name is written in decomposed Hangul, as macOS does.
        day: The ISO day in force that the text states, or None if it states none.
    """

    text: str
    file: str
    decomposed: bool
    day: str | None


class Block(NamedTuple):
    """A heading (`level` above 0), a paragraph, or the rows of a table."""

    level: int
    text: str
    rows: list[list[str]]


def office_files() -> list[OfficeFile]:
    """Return the eleven files of the folder."""
    listed = json.loads((HERE / "documents.json").read_text(encoding="utf-8"))
    return [OfficeFile(**entry) for entry in listed]


def write_folder(folder: Path) -> list[OfficeFile]:
    """Write the eleven files and one picture into `folder`; return the eleven."""
    folder.mkdir(parents=True, exist_ok=True)
    files = office_files()
    for entry in files:
        name = unicodedata.normalize("NFD" if entry.decomposed else "NFC", entry.file)
        text = (HERE / "documents" / entry.text).read_text(encoding="utf-8")
        _WRITERS[Path(entry.file).suffix](folder / name, text)
    (folder / PICTURE).write_bytes(_blank_picture(64))
    return files


def _blank_picture(size: int) -> bytes:
    """Return a white PNG of `size` × `size` pixels (ISO/IEC 15948: signature, IHDR, IDAT, IEND)."""

    def part(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)  # 8 bits of grey
    rows = zlib.compress((b"\0" + b"\xff" * size) * size)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + part(b"IHDR", header) + part(b"IDAT", rows) + part(b"IEND", b"")


def _blocks(text: str) -> Iterator[Block]:
    rows: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if set("".join(cells)) != {"-"}:
                rows.append(cells)
            continue
        if rows:
            yield Block(0, "", rows)
            rows = []
        level = len(line) - len(line.lstrip("#"))
        if line.strip():
            yield Block(level, line.lstrip("# ").strip(), [])


def _write_docx(path: Path, text: str) -> None:
    document = docx.Document()
    for block in _blocks(text):
        if block.rows:
            table = document.add_table(len(block.rows), len(block.rows[0]))
            for row, cells in zip(table.rows, block.rows, strict=True):
                for cell, value in zip(row.cells, cells, strict=True):
                    cell.text = value
        elif block.level:
            document.add_heading(block.text, block.level)
        else:
            document.add_paragraph(block.text)
    document.save(str(path))


def _write_xlsx(path: Path, text: str) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for content in json.loads(text)["sheets"]:
        sheet = book.create_sheet(content["name"])
        assert isinstance(sheet, Worksheet)
        for line in content["lines"]:
            sheet.append([line])
        for row in content["table"]:
            sheet.append([None if value == "" else value for value in row])
            for cell in sheet[sheet.max_row]:
                cell.number_format = "#,##0"
        for cells in content["merge"]:
            sheet.merge_cells(cells)
    book.save(path)


def _write_pptx(path: Path, text: str) -> None:
    show = pptx.Presentation()
    bodies: list[tuple[str, list[Block]]] = []
    for block in _blocks(text):
        if block.level:
            bodies.append((block.text, []))
        else:
            bodies[-1][1].append(block)
    for number, (title, blocks) in enumerate(bodies):
        table = next((block.rows for block in blocks if block.rows), None)
        slide = show.slides.add_slide(show.slide_layouts[0 if number == 0 else 5 if table else 1])
        slide.shapes.title.text = title
        if table is None:
            slide.placeholders[1].text = "\n".join(block.text.lstrip("- ") for block in blocks)
            continue
        size = Inches(1), Inches(2), Inches(8), Inches(3)
        grid = slide.shapes.add_table(len(table), len(table[0]), *size).table
        for row, cells in enumerate(table):
            for column, value in enumerate(cells):
                grid.cell(row, column).text = value
    show.save(str(path))


def _write_hwpx(path: Path, text: str) -> None:
    """Write a HWPX package with the parts that a reader needs: header, one section, content.hpf."""
    paragraph = '<hp:p styleIDRef="{}"><hp:run><hp:t>{}</hp:t></hp:run></hp:p>'
    body = "".join(
        paragraph.format(min(block.level, 2), escape(block.text)) for block in _blocks(text)
    )
    styles = "".join(
        f'<hh:style id="{number}" name="{name}" engName="{english}"/>'
        for number, (name, english) in enumerate(
            (("바탕글", "Normal"), ("개요 1", "Outline 1"), ("개요 2", "Outline 2"))
        )
    )
    hancom = "http://www.hancom.co.kr/hwpml/2011"
    parts = {
        "mimetype": "application/hwp+zip",
        "Contents/header.xml": f'<hh:head xmlns:hh="{hancom}/head"><hh:refList><hh:styles>{styles}'
        "</hh:styles></hh:refList></hh:head>",
        "Contents/section0.xml": f'<hs:sec xmlns:hs="{hancom}/section" '
        f'xmlns:hp="{hancom}/paragraph">{body}</hs:sec>',
        "Contents/content.hpf": '<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:metadata>'
        "<opf:title>제목 없음</opf:title>"
        '<opf:meta name="ModifiedDate">2019-05-02T00:00:00Z</opf:meta>'
        "</opf:metadata></opf:package>",
    }
    _write_zip(path, parts)


def _write_odt(path: Path, text: str) -> None:
    body = ""
    for block in _blocks(text):
        if block.rows:
            rows = "".join(
                "<table:table-row>"
                + "".join(
                    f"<table:table-cell><text:p>{escape(cell)}</text:p></table:table-cell>"
                    for cell in row
                )
                + "</table:table-row>"
                for row in block.rows
            )
            body += f'<table:table table:name="표">{rows}</table:table>'
        elif block.level:
            body += f'<text:h text:outline-level="{block.level}">{escape(block.text)}</text:h>'
        else:
            body += f"<text:p>{escape(block.text)}</text:p>"
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "table")
    )
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    kind = "application/vnd.oasis.opendocument.text"
    parts = {
        "mimetype": kind,
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{manifest}">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>",
        "content.xml": f"<office:document-content{names}><office:body><office:text>{body}"
        "</office:text></office:body></office:document-content>",
    }
    _write_zip(path, parts)


def _write_zip(path: Path, parts: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            stored = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=stored)


def _write_rtf(path: Path, text: str) -> None:
    """Write RTF as Word does: each character by its code point, CP949 for older readers."""

    def coded(line: str) -> str:
        return "".join(
            c
            if c.isascii()
            else f"\\u{ord(c)}" + "".join(f"\\'{byte:02x}" for byte in c.encode("cp949"))
            for c in line
        )

    paragraphs = "".join(
        "\\pard" + (f"\\outlinelevel{block.level - 1}" if block.level else "") + " {\\uc2 "
        f"{coded(block.text)}}}\\par\n"
        for block in _blocks(text)
    )
    head = "{\\rtf1\\ansi\\ansicpg949\\deff0{\\fonttbl{\\f0\\fnil\\fcharset129 Batang;}}\n"
    path.write_text(head + paragraphs + "}", encoding="ascii")


_LINE_WIDTH = 46.0  # in the width of one Hangul syllable
_PAGE_LINES = 44


def _write_pdf(path: Path, text: str) -> None:
    """Write a PDF with a running head and page numbers, in the encoding UniKS-UTF16-H."""
    blocks = list(_blocks(text))
    lines = [line for block in blocks for line in _wrapped(block.text)]
    pages = [lines[start : start + _PAGE_LINES] for start in range(0, len(lines), _PAGE_LINES)]
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids "
        f"[{' '.join(f'{5 + 2 * n} 0 R' for n in range(len(pages)))}] >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /HYSMyeongJo-Medium "
        "/Encoding /UniKS-UTF16-H /DescendantFonts [4 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HYSMyeongJo-Medium /DW 1000 "
        "/W [1 95 500] /CIDSystemInfo << /Registry (Adobe) /Ordering (Korea1) /Supplement 1 >> "
        "/FontDescriptor << /Type /FontDescriptor /FontName /HYSMyeongJo-Medium /Flags 6 "
        "/FontBBox [0 -148 1001 880] /ItalicAngle 0 /Ascent 880 /Descent -148 /CapHeight 880 "
        "/StemV 80 >> >>",
    ]
    for number, page in enumerate(pages):
        shown = [(800, f"가온누리은행 · {blocks[0].text}"), (40, f"- {number + 1} -")]
        shown += [(770 - 16 * row, line) for row, line in enumerate(page)]
        stream = "".join(
            f"BT /F1 10 Tf 60 {y} Td <{line.encode('utf-16-be').hex()}> Tj ET\n"
            for y, line in shown
        )
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources "
            f"<< /Font << /F1 3 0 R >> >> /Contents {6 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}endstream")
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    rows = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    out += (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}trailer << /Size "
        f"{len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    )
    path.write_bytes(out.encode("ascii"))


def _wrapped(text: str) -> Iterator[str]:
    line, width = "", 0.0
    for word in text.split(" "):
        size = sum(0.5 if c.isascii() else 1.0 for c in word)
        if line and width + 0.5 + size > _LINE_WIDTH:
            yield line
            line, width = word, size
        else:
            line, width = (f"{line} {word}", width + 0.5 + size) if line else (word, size)
    yield line


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _write_cp949(path: Path, text: str) -> None:
    path.write_bytes(text.replace("\n", "\r\n").encode("cp949"))


_WRITERS: dict[str, Callable[[Path, str], None]] = {
    ".docx": _write_docx,
    ".pdf": _write_pdf,
    ".xlsx": _write_xlsx,
    ".hwpx": _write_hwpx,
    ".csv": _write_cp949,
    ".md": _write_text,
    ".pptx": _write_pptx,
    ".rtf": _write_rtf,
    ".odt": _write_odt,
    ".html": _write_text,
    ".txt": _write_cp949,
}
