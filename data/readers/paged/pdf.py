"""Extract the text of PDF pages; pages without a usable text layer are read by OCR."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pypdfium2.raw as raw

from kofinlaw import UserError
from kofinlaw.data.readers.paged.page_letters import character
from kofinlaw.data.readers.paged.page_lines import Line, count_characters, join_pages
from kofinlaw.data.readers.paged.page_pieces import lines_of_page, turn_upright
from kofinlaw.data.readers.paged.tesseract import Picture, ReadPage, find_ocr, read_pictures
from kofinlaw.data.readers.paged.unread_pages import (
    NoTextError,
    Pages,
    UnreadPages,
    checked_pages,
    damaged_pages,
    pages_without_ocr,
)
from kofinlaw.data.settings import LimitSettings

__all__ = ["pdf_to_text"]

_DOTS_PER_INCH = 300.0
_MOST_PIXELS = 40_000_000  # of a page for OCR; a larger page gets fewer dots an inch
# A page is a scan if it has a picture and no text, or little text over a picture of the page.
_LITTLE_TEXT = 100  # characters
_PICTURE_SHARE = 0.5  # of the page
_BLANK = 64  # pixels of a picture for a page that cannot be drawn
_DRAWING = 10  # paths: text that was converted to curves
_GARBLED_SHARE = 0.3  # of the characters that are not blank
_LATIN_SHARE = 0.5  # Korean bytes that are shown as Western letters
_NO_LAYER = "no text layer"
_DAMAGED = "the page is damaged"


@dataclass(frozen=True, slots=True)
class _Page:
    """The lines of a page's text layer, why it needs OCR (empty if it does not), and whether the
    order of its lines is sure.
    """

    lines: tuple[Line, ...]
    defect: str = ""
    sure: bool = True


def pdf_to_text(path: Path, limits: LimitSettings) -> tuple[str, dict[str, str], Pages]:
    """Return (text, front matter, how its pages were read) of a PDF.

    Each page is read by its text layer. A page without one, or whose characters are not Unicode,
    is read by OCR if Tesseract with Korean is installed, and is listed otherwise.

    Raises UserError if the file is broken or encrypted, has too many pages, or no text at all
    (`NoTextError`, with the pages that need OCR).
    """
    try:
        document = pypdfium2.PdfDocument(path)
    except (pypdfium2.PdfiumError, OSError, ValueError) as error:
        if "password" in str(error):
            raise UserError("the PDF is encrypted", remedy="save it without a password") from error
        raise UserError(f"the PDF cannot be opened: {error}") from error
    try:
        count = len(document)
        if count > limits.pages:
            raise UserError(
                f"the PDF has {count} pages, more than {limits.pages}",
                remedy="split it, or raise data.limits.pages",
            )
        layer = [_page(document, number) for number in range(count)]
        lines, ocr, unread = _with_ocr(document, layer, limits)
        title = _stated_title(document)
    finally:
        document.close()
    if not any(lines):
        if unread:
            raise NoTextError(unread)
        raise UserError(f"the PDF has no text: {count} blank pages")
    joined = join_pages(lines)
    by_ocr = {page for page, _ in ocr}
    unsure = tuple(n for n, page in enumerate(layer, 1) if not page.sure and n not in by_ocr)
    return joined.text, _facts(lines, title), Pages(joined.starts, ocr, tuple(unread), unsure)


def _with_ocr(
    document: pypdfium2.PdfDocument, layer: Sequence[_Page], limits: LimitSettings
) -> tuple[list[Sequence[Line]], tuple[tuple[int, float], ...], list[UnreadPages]]:
    """Return the lines of each page, the confidence of those read by OCR, and the unread pages."""
    lines: list[Sequence[Line]] = [page.lines for page in layer]
    damaged = [number for number, page in enumerate(layer, 1) if page.defect == _DAMAGED]
    broken = [damaged_pages(damaged, _DAMAGED)] if damaged else []
    wanted = [n for n, page in enumerate(layer, 1) if page.defect and page.defect != _DAMAGED]
    if not wanted:
        return lines, (), broken
    ocr = find_ocr()
    now = [] if ocr.problem else wanted[: limits.ocr_pages]
    pictures = (_picture(document, number - 1) for number in now)
    found = read_pictures(pictures, ocr, limits.ocr_seconds)
    read = dict(zip(now, found, strict=True))
    # A page with a few words over a picture, such as a cover, may have no others.
    fewer = [n for n in now if _adds_nothing(read[n], layer[n - 1])]
    for number in fewer:
        del read[number]
    by_page, confidences, failed = checked_pages(read, limits.ocr_confidence)
    for number, recognised in by_page.items():
        lines[number - 1] = recognised
    unread = [*broken, *failed]
    by_defect: dict[str, list[int]] = {}
    for number in wanted[len(now) :]:
        by_defect.setdefault(layer[number - 1].defect, []).append(number)
    missing = ocr if ocr.problem and limits.ocr_pages else None
    unread += [pages_without_ocr(numbers, why, missing) for why, numbers in by_defect.items()]
    return lines, confidences, unread


def _adds_nothing(read: ReadPage, layer: _Page) -> bool:
    """Return whether OCR finds no more characters than a page's text layer, which has some."""
    known = count_characters(layer.lines)
    return not read.problem and known > 0 and count_characters(read.lines) <= known


def _page(document: pypdfium2.PdfDocument, number: int) -> _Page:
    """Return the text layer of a page (from 0); a sideways page is turned in memory."""
    mixed = False
    for attempt in range(2):
        try:
            page = document[number]
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError:
            return _Page((), _DAMAGED)
        try:
            count = text_page.count_chars()
            codes = [raw.FPDFText_GetUnicode(text_page.raw, index) for index in range(count)]
            if not attempt:
                turned, mixed = turn_upright(page, text_page, codes)
                if turned:
                    continue
            unmapped = [
                raw.FPDFText_HasUnicodeMapError(text_page.raw, i) == 1 for i in range(count)
            ]
            if _is_garbled(codes, unmapped):
                return _Page((), "the text layer has no Unicode characters")
            lines, sure = lines_of_page(page, text_page, codes)
            defect = _NO_LAYER if _is_scan(page, count_characters(lines)) else ""
            return _Page(lines, defect, sure and not mixed)
        finally:
            text_page.close()
            page.close()
    return _Page((), _DAMAGED)


def _is_garbled(codes: Sequence[int], unmapped: Sequence[bool]) -> bool:
    """Return whether many characters say nothing: fonts without a table of Unicode characters."""
    seen = [
        (code, bad)
        for code, bad in zip(codes, unmapped, strict=True)
        if code not in (2, 0xAD, 0xFFFE) and not character(code).isspace()
    ]
    bad = sum(unknown or _means_nothing(code) for code, unknown in seen)
    western = sum(0x80 <= code <= 0xFF for code, _ in seen)
    return bool(seen) and (bad > _GARBLED_SHARE * len(seen) or western > _LATIN_SHARE * len(seen))


def _means_nothing(code: int) -> bool:
    return (
        code in (0, 0xFFFD)
        or code > 0x10FFFF
        or unicodedata.category(chr(code)) in ("Cc", "Cn", "Co", "Cs")
    )


def _is_scan(page: pypdfium2.PdfPage, characters: int) -> bool:
    if characters >= _LITTLE_TEXT:
        return False
    kinds = [raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH]
    width, height = page.get_size()
    covered, paths = 0.0, 0
    for part in page.get_objects(filter=kinds, max_depth=3):
        if part.type == raw.FPDF_PAGEOBJ_PATH:
            paths += 1
            continue
        try:
            left, bottom, right, top = part.get_bounds()
        except pypdfium2.PdfiumError:
            continue
        if not characters:
            return True
        covered += max(0.0, min(right, width) - max(left, 0)) * max(
            0.0, min(top, height) - max(bottom, 0)
        )
    return covered > _PICTURE_SHARE * width * height or (not characters and paths >= _DRAWING)


def _picture(document: pypdfium2.PdfDocument, number: int) -> Picture:
    """Return a page (from 0) as a picture for OCR; white if it cannot be drawn."""
    try:
        page = document[number]
        width, height = page.get_size()
        dots = min(_DOTS_PER_INCH / 72, (_MOST_PIXELS / max(1.0, width * height)) ** 0.5)
        bitmap = page.render(scale=dots, grayscale=True)
    except (pypdfium2.PdfiumError, ValueError):
        return Picture(_BLANK, _BLANK, b"\xff" * _BLANK**2, _DOTS_PER_INCH)
    try:
        pixels = bitmap.to_numpy().tobytes()
        return Picture(bitmap.width, bitmap.height, pixels, dots * 72)
    finally:
        bitmap.close()
        page.close()


def _stated_title(document: pypdfium2.PdfDocument) -> str:
    """Return the title that the file states; empty if there is none, or if it is not Unicode."""
    try:
        return str(document.get_metadata_value("Title"))
    except UnicodeDecodeError:
        return ""


def _facts(pages: Sequence[Sequence[Line]], title: str) -> dict[str, str]:
    """Return the title and day from the law portal's head
    (`전자금융거래법 / [시행 2024. 9. 15.] …`), else the title that the file states.
    """
    head = [line.text for page in pages[:1] for line in page][:12]
    for index, text in enumerate(head):
        match = re.match(r"^\[\s*시행\s*+([\d.][\d.\s]*)\]", text)
        if match:
            above = {"title": head[index - 1].strip()} if index > 0 else {}
            return {"시행일자": match.group(1), **above}
    return {"title": title} if title else {}
