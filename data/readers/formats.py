"""Read a file of any known format into documents: one reader function for each file suffix.

To add a format:

1. Write a function that converts the file to Markdown, in its own module in this folder.
2. Add a reader here: a function with the parameters of `Reader` that yields `make_document(…)`.
   Import the conversion inside the function if it needs a heavy library.
   `row_files` has the readers of files with rows.
3. Add the file suffix to `READERS` below, and the name pattern to `READABLE` in `data/settings.py`.
4. Add a test next to the others in `tests/data/readers/`.

Without changing the package, pass `extra_readers` to `build_corpus` (`examples/add_a_reader.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.frontmatter import split_front_matter
from kofinlaw.data.readers.documents import (
    Document,
    file_suffix,
    is_placeholder_title,
    make_document,
)
from kofinlaw.data.readers.legacy.signatures import refuse_other_format
from kofinlaw.data.readers.row_files import read_csv, read_records, read_xlsx
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.decoding import decode
from kofinlaw.units import MIB

__all__ = [
    "READERS",
    "Reader",
    "no_reader",
    "read_doc",
    "read_documents",
    "read_docx",
    "read_html",
    "read_hwp",
    "read_hwpx",
    "read_markdown",
    "read_odt",
    "read_pdf",
    "read_picture",
    "read_portal",
    "read_pptx",
    "read_rtf",
    "read_text",
]

_KOREAN_CHARSETS = (b"euc-kr", b"cp949", b"ks_c_5601-1987", b"ms949", b"x-windows-949")


def read_documents(
    path: Path,
    source: SourceSettings | None = None,
    limits: LimitSettings | None = None,
    *,
    name: str = "",
    extra_readers: Mapping[str, Reader] | None = None,
) -> Iterator[Document]:
    """Yield the documents of a file. Most files contain one;
    a table has one document for each record.

    Args:
        path: The file; its suffix decides which reader is used.
        source: Title, kind, licence, encoding and columns, if they are not guessed.
        limits: The largest size in MiB, the most pages and records; defaults as in a recipe.
        name: How records cite the file; by default its name.
        extra_readers: Readers of your own by file suffix (`.eml`); they win over the built-in ones.

    Raises:
        UserError: The file is missing, too large, broken, or has an unknown format.
    """
    source = source or SourceSettings(path=path.name)
    limits = limits or LimitSettings()
    name = name or path.name
    if not path.exists():
        raise UserError("no such file", where=str(path), remedy="check the path")
    size = path.stat().st_size
    if size > limits.file_mebibytes * MIB:
        raise UserError(
            f"the file has {size / MIB:.0f} MiB, more than {limits.file_mebibytes}",
            where=name,
            remedy="split it, or raise data.limits.file_mebibytes",
        )
    if size == 0:
        raise UserError("the file is empty", where=name)
    suffix = file_suffix(path)
    reader = (extra_readers or {}).get(suffix) or READERS.get(suffix)
    if reader is None:
        message, remedy = no_reader(path)
        raise UserError(message, where=name, remedy=remedy)
    if suffix not in (extra_readers or {}):
        refuse_other_format(path, suffix)
    yield from reader(path, source, limits, name)


# What to do with files that no reader knows
_SAVE_AS = {
    "save it as DOCX": (".dot", ".dotx", ".docm", ".wps", ".pages", ".wpd", ".wri"),
    "save it as PPTX": (".ppt", ".pps", ".ppsx", ".pptm", ".odp", ".key", ".show", ".hpt"),
    "save it as XLSX": (".xls", ".xlsb", ".xltx", ".ods", ".numbers", ".cell", ".nxl"),
    "save it as HWPX": (".hwt", ".hwtx", ".hml", ".hwpml", ".gul"),
    "save it as PDF or HTML": (".eml", ".msg", ".mht", ".mhtml", ".xps", ".epub", ".tex"),
    "unpack it into the folder": (
        ".zip", ".7z", ".rar", ".egg", ".alz", ".tar", ".gz", ".tgz", ".bz2", ".xz",
    ),
    "save it as PNG if it is a scanned page": (".gif", ".webp", ".heic", ".avif", ".svg", ".jp2"),
}  # fmt: skip
_REMEDIES = {suffix: remedy for remedy, suffixes in _SAVE_AS.items() for suffix in suffixes}


def no_reader(path: Path) -> tuple[str, str]:
    """Return (message, remedy) for a file of a format that is not read."""
    suffix = file_suffix(path)
    remedy = _REMEDIES.get(suffix, "save it in a format that is read, or add a reader")
    return f"no reader for {suffix or 'a file without a suffix'}", remedy


def read_markdown(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Yield Markdown with or without YAML front matter (the legalize-kr format)."""
    text, encoding = decode(path.read_bytes(), source.encoding)
    meta, body, warning = split_front_matter(text)
    yield make_document(body, source, name, "markdown", {**meta, "encoding": encoding}, warning)


def read_text(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read plain text; a short first line without a full stop is the title."""
    text, encoding = decode(path.read_bytes(), source.encoding)
    meta = {"encoding": encoding, **_first_line_title(text)}
    yield make_document(text, source, name, "text", meta)


def _first_line_title(text: str) -> dict[str, str]:
    head, _, rest = text.lstrip().partition("\n")
    line = head.strip().lstrip("#").strip()
    if 0 < len(line) <= 80 and not line.endswith((".", "다")) and rest.strip():
        return {"title": line}
    return {}


def read_html(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Yield a web page saved as HTML."""
    from kofinlaw.data.readers.webpage import html_to_markdown

    data = path.read_bytes()
    declared = re.search(rb"charset=[\"']?\s*([\w-]+)", data[:4096])
    korean = declared is not None and declared.group(1).lower() in _KOREAN_CHARSETS
    encoding = "cp949" if korean and source.encoding == "auto" else source.encoding
    text, found = decode(data, encoding)
    markdown, meta = html_to_markdown(text)
    yield make_document(markdown, source, name, "html", {**meta, "encoding": found})


def read_pdf(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Yield a PDF; pages without a text layer are read by OCR where Tesseract is installed."""
    from kofinlaw.data.readers.paged.pdf import pdf_to_text
    from kofinlaw.data.readers.paged.unread_pages import order_warnings

    text, meta, pages = pdf_to_text(path, limits)
    document = make_document(text, source, name, "pdf", meta, pages=pages)
    yield replace(document, warnings=(*document.warnings, *order_warnings(pages)))


def read_picture(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read the picture of a scanned page by OCR; a short first line is the title."""
    from kofinlaw.data.readers.paged.pictures import picture_to_text

    text, pages = picture_to_text(path, limits)
    meta = _first_line_title(text)
    yield make_document(text, source, name, "picture", meta, pages=pages)


def read_hwpx(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read HWPX, Hancom's open format."""
    from kofinlaw.data.readers.office.hwpx import hwpx_to_markdown

    text, meta, warnings = hwpx_to_markdown(path, limits.expanded_mebibytes)
    yield replace(make_document(text, source, name, "hwpx", meta), warnings=tuple(warnings))


def read_hwp(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read HWP 5, Hancom's older format; a file of the newer format counts as HWPX."""
    from kofinlaw.data.readers.legacy.containers import starts_with
    from kofinlaw.data.readers.legacy.hwp import hwp_to_markdown

    if starts_with(path, b"PK"):
        yield from read_hwpx(path, source, limits, name)
        return
    text = hwp_to_markdown(path, limits.expanded_mebibytes)
    yield make_document(text, source, name, "hwp", {})


def read_doc(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read DOC of Word 97 to 2003; as in plain text, a short first line is the title.

    A DOC file that is really RTF, DOCX or HTML is read as that.
    """
    from kofinlaw.data.readers.legacy.containers import starts_with
    from kofinlaw.data.readers.legacy.word import doc_to_markdown

    for reader, marks in (
        (read_rtf, (b"{\\rtf",)),
        (read_docx, (b"PK",)),
        (read_html, (b"<html", b"<HTML", b"<!DOCTYPE html", b"<!doctype html")),
    ):
        if starts_with(path, *marks):
            yield from reader(path, source, limits, name)
            return
    text, warnings = doc_to_markdown(path, limits.expanded_mebibytes)
    document = make_document(text, source, name, "doc", _first_line_title(text))
    yield replace(document, warnings=tuple(warnings))


def read_docx(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read DOCX, Word's open format."""
    from kofinlaw.data.readers.office.docx import docx_to_markdown

    text, meta, warnings = docx_to_markdown(path, limits.expanded_mebibytes)
    yield replace(make_document(text, source, name, "docx", meta), warnings=tuple(warnings))


def read_pptx(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read PPTX, the slides of PowerPoint: one section for each slide, with its notes."""
    from kofinlaw.data.readers.slides import pptx_to_markdown

    text, meta, warnings = pptx_to_markdown(path, limits.expanded_mebibytes, limits.pages)
    document = make_document(text, source, name, "pptx", meta)
    yield replace(document, warnings=tuple(warnings))


def read_odt(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read ODT, the text documents of LibreOffice."""
    from kofinlaw.data.readers.office.opendocument import odt_to_markdown

    text, meta = odt_to_markdown(path, limits.expanded_mebibytes)
    yield make_document(text, source, name, "odt", meta)


def read_rtf(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read RTF; as in plain text, a short first line without a full stop is the title."""
    from kofinlaw.data.readers.rtf import rtf_to_markdown

    text, meta = rtf_to_markdown(path.read_bytes())
    stated = meta.get("title", "")
    if not stated or is_placeholder_title(stated):
        meta.update(_first_line_title(text))
    yield make_document(text, source, name, "rtf", meta)


def read_portal(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Yield a statute or rule in the XML or JSON of the law portal."""
    from kofinlaw.data.readers.portal.markdown import portal_to_markdown

    text, meta, warnings = portal_to_markdown(path)
    document = make_document(text, source, name, file_suffix(path).lstrip("."), meta)
    yield replace(document, warnings=(*document.warnings, *warnings))


# (path, settings of the source, limits of files, name in records) to documents
Reader = Callable[[Path, SourceSettings, LimitSettings, str], Iterator[Document]]
READERS: dict[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".hwpx": read_hwpx,
    ".hwp": read_hwp,
    ".doc": read_doc,
    ".docx": read_docx,
    ".pptx": read_pptx,
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".odt": read_odt,
    ".rtf": read_rtf,
    ".png": read_picture,
    ".jpg": read_picture,
    ".jpeg": read_picture,
    ".tif": read_picture,
    ".tiff": read_picture,
    ".bmp": read_picture,
    ".xml": read_portal,
    ".json": read_portal,
    ".jsonl": read_records,
    ".jsonl.xz": read_records,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_records,
}
