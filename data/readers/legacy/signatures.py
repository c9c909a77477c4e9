"""Tell by its first bytes that a file is of another format than its name says."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from kofinlaw import UserError

__all__ = ["refuse_other_format"]

_SIGNATURES = (
    (b"%PDF-", "a PDF file", (".pdf",)),
    (b"{\\rtf", "an RTF file", (".rtf",)),
    (b"\x89PNG\r\n", "a PNG picture", (".png",)),
    (b"\xff\xd8\xff", "a JPEG picture", (".jpg", ".jpeg")),
    (b"GIF8", "a GIF picture", (".gif",)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an older Office or HWP file", (".doc", ".hwp")),
)
# A part that only this format has, in a zip file
_PARTS = (
    ("word/document.xml", "a DOCX file", (".docx",)),
    ("xl/workbook.xml", "an XLSX file", (".xlsx", ".xlsm")),
    ("ppt/presentation.xml", "a PPTX file", (".pptx",)),
    ("Contents/header.xml", "a HWPX file", (".hwpx",)),
)
# Their readers look at the content themselves, or say that a file is encrypted
_OWN_CHECK = frozenset([".doc", ".hwp", ".docx", ".xlsx", ".xlsm", ".pptx", ".hwpx", ".odt"])
_PICTURES = frozenset([".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"])  # opened by content
# A web page, by its first tag; a byte order mark and an XML declaration may precede it
_WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s{0,99}(?:<\?xml[^<>]{0,200}>\s{0,99})?<(?:!doctype\s{1,9}html|html)[\s>]",
    re.IGNORECASE,
)
_OF_WEB_PAGES = (".html", ".htm", ".doc", ".xml")  # older programs save web pages as .doc
_HEAD = 512  # bytes that are read


def refuse_other_format(path: Path, suffix: str) -> None:
    """Raise UserError if the file's content is of another format than its suffix says.

    Files without a known signature pass. An encrypted file of an open format has the signature of
    an older one; its own reader says so.
    """
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    if suffix not in _OF_WEB_PAGES and _WEB_PAGE.match(head):
        raise _other("a web page", suffix, (".html",))
    found = next((one for one in _SIGNATURES if head.startswith(one[0])), None)
    kind, suffixes = (found[1], found[2]) if found else _of_archive(path, head)
    if not kind or suffix in suffixes:
        return
    if suffix in _OWN_CHECK and (kind.startswith("an older") or suffix in (".doc", ".hwp")):
        return
    if suffix in _PICTURES and set(suffixes) & _PICTURES:
        return
    raise _other(kind, suffix, suffixes)


def _other(kind: str, suffix: str, suffixes: tuple[str, ...]) -> UserError:
    return UserError(
        f"the content is that of {kind}, not of a {suffix} file",
        remedy=f"give it the ending {' or '.join(suffixes)}",
    )


def _of_archive(path: Path, head: bytes) -> tuple[str, tuple[str, ...]]:
    """Return (format, suffixes) of an Office file that is a zip file; empty for other files."""
    if not head.startswith(b"PK\x03\x04"):
        return "", ()
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):  # the format's own reader says so
        return "", ()
    return next(((kind, ends) for part, kind, ends in _PARTS if part in names), ("", ()))
