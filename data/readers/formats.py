"""Files to documents: one function a format, the same `Document` out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.licences import normalise
from kofinlaw.data.readers.documents import Document, guess_kind, guess_license, iso_day
from kofinlaw.data.readers.frontmatter import split_front_matter
from kofinlaw.data.readers.rows import record_text, rows_of
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.decoding import decode
from kofinlaw.units import MIB

_KOREAN_CHARSETS = (b"euc-kr", b"cp949", b"ks_c_5601-1987", b"ms949", b"x-windows-949")


_IN_FORCE = re.compile(
    r"(?:\[\s*시행|^시행일자?\s*[:：]?)\s*(\d{4}[.년\s]+\d{1,2}[.월\s]+\d{1,2})", re.MULTILINE
)


def read_file(
    path: Path, source: SourceSettings, limits: LimitSettings, *, name: str = ""
) -> Iterator[Document]:
    """The documents of a file; most hold one.

    `name` is how records cite the file. Raises UserError for a file that is too large, of an
    unknown format, or broken; the caller rejects it and goes on.
    """
    name = name or path.name
    size = path.stat().st_size
    if size > limits.file_mebibytes * MIB:
        raise UserError(
            f"the file has {size / MIB:.0f} MiB, more than {limits.file_mebibytes}",
            where=name,
            remedy="split it, or raise data.limits.file_mebibytes",
        )
    if size == 0:
        raise UserError("the file is empty", where=name)
    reader = READERS.get(suffix(path))
    if reader is None:
        raise UserError(f"no reader for {suffix(path) or 'a file without a suffix'}", where=name)
    yield from reader(path, source, limits, name)


def suffix(path: Path) -> str:
    """The file's suffix in lower case; `.jsonl.xz` stays whole."""
    lower = path.name.lower()
    return ".jsonl.xz" if lower.endswith(".jsonl.xz") else path.suffix.lower()


def make_document(
    text: str, source: SourceSettings, name: str, form: str, meta: dict[str, str], warning: str = ""
) -> Document:
    """A document from its text: title, kind, date and licence from front matter or the source."""
    title = source.title or meta.get("제목") or meta.get("title") or _first_heading(text)
    title = unicodedata.normalize("NFC", title or Path(name).stem.replace("_", " ")).strip()
    kind = source.kind or guess_kind(title, text, meta)
    day = iso_day(meta.get("시행일자") or meta.get("시행일"))
    day = day or iso_day(meta.get("발령일자") or meta.get("공포일자") or meta.get("as_of"))
    day = (
        day
        or _stated_day(text)
        or iso_day(meta.get("date"))
        or (source.as_of.isoformat() if source.as_of else "")
    )
    return Document(
        title=title,
        kind=kind,
        text=text,
        as_of=day,
        source=name,
        license=normalise(source.license) if source.license else guess_license(kind, text, meta),
        format=form,
        meta=meta,
        warnings=(warning,) if warning else (),
    )


def _stated_day(text: str) -> str:
    """The day near the head of a text: `[시행 2026. 2. 10.]`, `시행일: 2026. 1. 15.`"""
    match = re.search(
        r"(?:\[\s*시행|시행일자?\s*[:：])\s*(\d{4}[.년\s]+\d{1,2}[.월\s]+\d{1,2})", text[:3000]
    )
    return iso_day(match.group(1)) if match else ""


def _first_heading(text: str) -> str:
    match = re.search(r"^#\s+(.+?)\s*#*\s*$", text[:20000], re.MULTILINE)
    return match.group(1) if match else ""


def read_markdown(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Markdown with or without YAML front matter (the legalize-kr form)."""
    text, encoding = decode(path.read_bytes(), source.encoding)
    meta, body, warning = split_front_matter(text)
    yield make_document(body, source, name, "markdown", {**meta, "encoding": encoding}, warning)


def read_text(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Plain text; the first line is the title where it is short and stands alone."""
    text, encoding = decode(path.read_bytes(), source.encoding)
    meta = {"encoding": encoding}
    head, _, rest = text.lstrip().partition("\n")
    if 0 < len(head.strip()) <= 80 and not head.strip().endswith((".", "다")) and rest.strip():
        meta["title"] = head.strip()
    yield make_document(text, source, name, "text", meta)


def read_html(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """A web page saved as HTML."""
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
    """A PDF with a text layer."""
    from kofinlaw.data.readers.pdf import pdf_to_text

    text, meta, warning = pdf_to_text(path, limits.pages)
    yield make_document(text, source, name, "pdf", meta, warning)


def read_hwpx(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Hancom's open format."""
    from kofinlaw.data.readers.office import hwpx_to_markdown

    text, meta = hwpx_to_markdown(path, limits.expanded_mebibytes)
    yield make_document(text, source, name, "hwpx", meta)


def read_hwp(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Hancom's older format, by the `hwp` extra."""
    from kofinlaw.data.readers.hwp import hwp_to_text

    text = hwp_to_text(path)
    yield make_document(text, source, name, "hwp", {})


def read_docx(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Word's open format."""
    from kofinlaw.data.readers.office import docx_to_markdown

    text, meta = docx_to_markdown(path, limits.expanded_mebibytes)
    yield make_document(text, source, name, "docx", meta)


def read_portal(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """A statute or rule in the law portal's XML or JSON."""
    from kofinlaw.data.readers.portal import portal_to_markdown

    text, meta = portal_to_markdown(path)
    yield make_document(text, source, name, suffix(path).lstrip("."), meta)


def read_records(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """JSONL, CSV or Parquet: one document a record."""
    for number, row in enumerate(rows_of(path, source, limits), 1):
        text, meta = record_text(row, source.columns)
        where = f"{name}#{number}"
        meta.setdefault("title", f"{source.title or path.name.split('.')[0]} {number}")
        record = source.model_copy(update={"title": ""})
        yield make_document(text, record, where, suffix(path).lstrip("."), meta)


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
    ".docx": read_docx,
    ".xml": read_portal,
    ".json": read_portal,
    ".jsonl": read_records,
    ".jsonl.xz": read_records,
    ".csv": read_records,
    ".parquet": read_records,
}
