"""Read a file of any known format into documents: one reader function for each file suffix.

To add a format:

1. Write a function that converts the file to Markdown, in its own module in this folder.
2. Add a reader here: a function with the parameters of `Reader` that yields `make_document(…)`.
   Import the conversion inside the function if it needs a heavy library.
3. Add the file suffix to `READERS` below, and the name pattern to `READABLE` in `data/settings.py`.
4. Add a test next to the others in `tests/data/readers/`.

Without changing the package, pass `extra_readers` to `build_corpus` (`examples/add_a_reader.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.frontmatter import split_front_matter
from kofinlaw.data.readers.documents import Document, make_document
from kofinlaw.data.readers.rows import record_text, rows_of
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.decoding import decode
from kofinlaw.units import MIB

__all__ = [
    "READERS",
    "Reader",
    "file_suffix",
    "read_documents",
    "read_docx",
    "read_html",
    "read_hwp",
    "read_hwpx",
    "read_markdown",
    "read_pdf",
    "read_portal",
    "read_records",
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
        raise UserError("no such file", where=str(path))
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
        raise UserError(f"no reader for {suffix or 'a file without a suffix'}", where=name)
    yield from reader(path, source, limits, name)


def file_suffix(path: Path) -> str:
    """Return the suffix of the file in lower case; `.jsonl.xz` counts as one suffix."""
    lower = path.name.lower()
    return ".jsonl.xz" if lower.endswith(".jsonl.xz") else path.suffix.lower()


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
    meta = {"encoding": encoding}
    head, _, rest = text.lstrip().partition("\n")
    if 0 < len(head.strip()) <= 80 and not head.strip().endswith((".", "다")) and rest.strip():
        meta["title"] = head.strip()
    yield make_document(text, source, name, "text", meta)


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
    """Yield a PDF with a text layer."""
    from kofinlaw.data.readers.pdf import pdf_to_text

    text, meta, warning = pdf_to_text(path, limits.pages)
    yield make_document(text, source, name, "pdf", meta, warning)


def read_hwpx(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read HWPX, Hancom's open format."""
    from kofinlaw.data.readers.office import hwpx_to_markdown

    text, meta = hwpx_to_markdown(path, limits.expanded_mebibytes)
    yield make_document(text, source, name, "hwpx", meta)


def read_hwp(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read HWP 5, Hancom's older format; needs the extra `hwp`."""
    from kofinlaw.data.readers.hwp import hwp_to_text

    text = hwp_to_text(path)
    yield make_document(text, source, name, "hwp", {})


def read_docx(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read DOCX, Word's open format."""
    from kofinlaw.data.readers.office import docx_to_markdown

    text, meta = docx_to_markdown(path, limits.expanded_mebibytes)
    yield make_document(text, source, name, "docx", meta)


def read_portal(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Yield a statute or rule in the XML or JSON of the law portal."""
    from kofinlaw.data.readers.portal import portal_to_markdown

    text, meta = portal_to_markdown(path)
    yield make_document(text, source, name, file_suffix(path).lstrip("."), meta)


def read_records(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read JSONL, CSV or Parquet: one document for each record."""
    for number, row in enumerate(rows_of(path, source, limits), 1):
        text, meta = record_text(row, source.columns)
        where = f"{name}#{number}"
        meta.setdefault("title", f"{source.title or path.name.split('.')[0]} {number}")
        record = source.model_copy(update={"title": ""})
        yield make_document(text, record, where, file_suffix(path).lstrip("."), meta)


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
    ".docx": read_docx,
    ".xml": read_portal,
    ".json": read_portal,
    ".jsonl": read_records,
    ".jsonl.xz": read_records,
    ".csv": read_records,
    ".parquet": read_records,
}
