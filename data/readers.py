"""Files to documents: one function a format, the same `Document` out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.decoding import decode
from kofinlaw.data.documents import Document, guess_kind, guess_license, iso_day
from kofinlaw.data.frontmatter import split_front_matter
from kofinlaw.data.settings import LimitSettings, SourceSettings

_MEBIBYTE = 1 << 20


def read_file(
    path: Path, source: SourceSettings, limits: LimitSettings, *, name: str = ""
) -> Iterator[Document]:
    """The documents of a file; most hold one.

    `name` is how records cite the file. Raises UserError for a file that is too large, of an
    unknown format, or broken; the caller rejects it and goes on.
    """
    name = name or path.name
    size = path.stat().st_size
    if size > limits.file_mebibytes * _MEBIBYTE:
        raise UserError(
            f"the file has {size / _MEBIBYTE:.0f} MiB, more than {limits.file_mebibytes}",
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
    day = day or iso_day(meta.get("date")) or (source.as_of.isoformat() if source.as_of else "")
    return Document(
        title=title,
        kind=kind,
        text=text,
        as_of=day,
        source=name,
        license=source.license or guess_license(kind, meta),
        format=form,
        meta=meta,
        warnings=(warning,) if warning else (),
    )


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


Reader = Callable[[Path, SourceSettings, LimitSettings, str], Iterator[Document]]
READERS: dict[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
}
