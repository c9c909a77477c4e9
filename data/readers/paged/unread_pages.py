"""Describe the pages of a file that gave no text, and decide which pages OCR read well enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from kofinlaw import UserError
from kofinlaw.data.readers.paged.page_lines import Line, page_range, pages_of_span
from kofinlaw.data.readers.paged.tesseract import Ocr, ReadPage

__all__ = [
    "PAGE_REASONS",
    "NoTextError",
    "PageReason",
    "Pages",
    "UnreadPages",
    "checked_pages",
    "damaged_pages",
    "order_warnings",
    "page_facts",
    "pages_without_ocr",
]

_LONGEST_LIST = 100  # characters
# A page needs OCR; OCR read it with too little confidence; OCR failed on it.
PageReason = Literal["needs_ocr", "ocr_unsure", "ocr_failed"]
PAGE_REASONS: tuple[PageReason, ...] = get_args(PageReason)


@dataclass(frozen=True, slots=True)
class UnreadPages:
    """Pages of one file (from 1) that are not in its text, with a short reason and a sentence."""

    pages: tuple[int, ...]
    reason: PageReason
    detail: str


class NoTextError(UserError):
    """No page of a file could be read; `unread` are its pages with the reason."""

    def __init__(self, unread: Sequence[UnreadPages]) -> None:
        self.unread = tuple(unread)
        super().__init__("; ".join(one.detail for one in unread))


@dataclass(frozen=True, slots=True)
class Pages:
    """How the pages of a document were read.

    - `starts` are the offsets in its text at which its pages begin; empty for a file without pages.
    - `ocr` are the pages (from 1) that were read by OCR, with their confidence (0 to 1).
    - `unread` are the pages that are not in the text.
    - `unsure` are the pages (from 1) whose lines can be read in another order as well.
    """

    starts: tuple[int, ...] = ()
    ocr: tuple[tuple[int, float], ...] = ()
    unread: tuple[UnreadPages, ...] = field(default=())
    unsure: tuple[int, ...] = ()


def order_warnings(pages: Pages) -> list[str]:
    """Return a warning that names the pages whose reading order is not sure; none without them."""
    if not pages.unsure:
        return []
    return [
        f"{_named(pages.unsure)}: the reading order is not sure (columns or a table without lines, "
        "or text in several directions); check the text, or use the DOCX or HWPX of this document"
    ]


def page_facts(pages: Pages, text: str, start: int, end: int) -> tuple[str, str]:
    """Return (pages, lowest confidence of OCR) of a part of a document's text.

    They are those of `Chunk.pages` and `Chunk.ocr`; empty without pages, or without OCR.
    """
    first, last = pages_of_span(pages.starts, text, start, end)
    if not first:
        return "", ""
    confidences = [value for page, value in pages.ocr if first <= page <= last]
    shown = f"{first}-{last}" if last > first else str(first)
    return shown, f"{min(confidences):.2f}" if confidences else ""


def pages_without_ocr(numbers: Sequence[int], why: str, ocr: Ocr | None) -> UnreadPages:
    """Return the pages that OCR would read, with the command that makes it possible.

    Args:
        numbers: The pages, from 1.
        why: What is wrong with them (`no text layer`).
        ocr: What is missing; None if `data.limits.ocr_pages` forbids OCR.
    """
    remedy = f"{ocr.problem}: {ocr.remedy}" if ocr else "raise data.limits.ocr_pages to read them"
    return UnreadPages(tuple(numbers), "needs_ocr", f"{_named(numbers)}: {why} → {remedy}")


def damaged_pages(numbers: Sequence[int], why: str) -> UnreadPages:
    """Return the pages (from 1) that cannot be opened."""
    return UnreadPages(tuple(numbers), "ocr_failed", f"{_named(numbers)}: {why}")


def checked_pages(
    read: Mapping[int, ReadPage], lowest: float
) -> tuple[dict[int, tuple[Line, ...]], tuple[tuple[int, float], ...], tuple[UnreadPages, ...]]:
    """Return (lines by page, confidence by page, unread pages) of pages that OCR read.

    Args:
        read: The result of OCR by page (from 1).
        lowest: The lowest confidence of a page that is kept, 0 to 1.
    """
    good = {n: page for n, page in read.items() if page.lines and page.confidence >= lowest}
    confidences = tuple((n, page.confidence) for n, page in sorted(good.items()))
    return {n: page.lines for n, page in good.items()}, confidences, tuple(_unread(read, lowest))


def _unread(read: Mapping[int, ReadPage], lowest: float) -> Iterator[UnreadPages]:
    unsure = {n: p for n, p in read.items() if p.lines and p.confidence < lowest}
    if unsure:
        worst = min(page.confidence for page in unsure.values())
        detail = (
            f"{_named(list(unsure))}: confidence {worst:.2f} is below {lowest:.2f} → scan them "
            "again, or lower data.limits.ocr_confidence"
        )
        yield UnreadPages(tuple(sorted(unsure)), "ocr_unsure", detail)
    problems: dict[str, list[int]] = {}
    for number, page in read.items():
        if not page.lines:
            problems.setdefault(page.problem or "OCR found no words", []).append(number)
    for problem, numbers in problems.items():
        yield UnreadPages(tuple(numbers), "ocr_failed", f"{_named(numbers)}: {problem}")


def _named(numbers: Sequence[int]) -> str:
    """Return pages as `pages 2, 5-7`. A long list is cut, so that the remedy behind it is seen."""
    listed = page_range(numbers)
    if len(listed) > _LONGEST_LIST:
        listed = f"{listed[:_LONGEST_LIST].rpartition(',')[0]}, … ({len(numbers)} pages)"
    return f"page{'s' if len(numbers) > 1 else ''} {listed}"
