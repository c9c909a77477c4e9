"""Extract PDF text layers: drop running heads, join wrapped lines, keep tables as rows."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pypdfium2.raw as raw

from kofinlaw import UserError
from kofinlaw.data.korean.words import blanks_between
from kofinlaw.data.law.provisions import CIRCLED
from kofinlaw.data.readers.pdf_tables import Table, tables_of
from kofinlaw.data.readers.tables import markdown_rows

__all__ = ["pdf_to_text"]

# Running heads and page numbers are in this share of the page's height at its top and bottom.
_MARGIN = 0.09
_MIN_CHARACTERS_PER_PAGE = 15  # on average; a file with fewer is a scan
_PAGE_NUMBER = re.compile(r"^[\s\-–—|/]*(?:page\s*)?\d{1,5}(?:\s*/\s*\d{1,5})?[\s\-–—|]*$", re.I)
_STARTS = re.compile(
    rf"^\s*(?:\||제\s*\d+(?:-\d+)?\s*조(?:의\s*\d+)*\s*[(\[<]|제\s*\d+\s*[편장절관](?:의\s*\d+)?(?:\s|$)"
    rf"|[{CIRCLED}]|\d{{1,3}}(?:의\d{{1,2}})?\.(?!\d)\s*\S|[가-하](?:의\d)?\.\s|\(?\d{{1,2}}\)\s|[가-하]\)\s"
    r"|부\s*칙|[\[<〈【]\s*(?:별표|별지|전문개정|본조신설|제목개정|시행)|[□■○●◦▪▶※ㅇ\-·•]\s|제\s*\d+\s*조\s*삭제"
    r"|[IVXⅠ-Ⅻ]+\.\s)"
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page.

    `right` is its right edge in points, `height` its position above the bottom of the page (0 to
    1), and `size` the height of its first character in points.
    """

    text: str
    right: float
    height: float
    size: float


def pdf_to_text(path: Path, max_pages: int) -> tuple[str, dict[str, str], str]:
    """Return (text, front matter, warning or empty text) of a PDF with a text layer.

    Raises UserError if the file is broken, encrypted or a scan, or has more than `max_pages` pages.
    """
    try:
        document = pypdfium2.PdfDocument(path)
    except (pypdfium2.PdfiumError, OSError, ValueError) as error:
        raise UserError(f"the PDF cannot be opened: {error}") from error
    try:
        count = len(document)
        if count > max_pages:
            raise UserError(
                f"the PDF has {count} pages, more than {max_pages}",
                remedy="split it, or raise data.limits.pages",
            )
        pages = [_lines(document, number) for number in range(count)]
        meta = {k: str(v) for k, v in (document.get_metadata_dict() or {}).items() if v}
    finally:
        document.close()
    characters = [sum(len(line.text) for line in page) for page in pages]
    if not pages or sum(characters) < _MIN_CHARACTERS_PER_PAGE * len(pages):
        empty = sum(1 for c in characters if c == 0)
        raise UserError(
            f"the PDF is a scan: no text layer on {empty} of {len(pages)} pages",
            remedy="run text recognition (OCR) on it first",
        )
    blank = sum(1 for c in characters if c == 0)
    warning = f"{blank} of {len(pages)} pages have no text (scanned?)" if blank else ""
    return _text(_without_running_heads(pages)), _facts(pages, meta), warning


def _lines(document: pypdfium2.PdfDocument, number: int) -> list[_Line]:
    """Return the lines of a page (from 0) in the order of the text layer.

    A broken page has none.
    """
    try:
        page = document[number]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return []
    try:
        height = page.get_height() or 1.0
        tables = tables_of(page, text_page)
        count = text_page.count_chars()
        codes = [raw.FPDFText_GetUnicode(text_page.raw, index) for index in range(count)]
        out: list[_Line] = []
        shown: set[int] = set()
        start = 0
        for end in range(count + 1):
            if end < count and codes[end] not in (10, 13):
                continue
            words = "".join(_character(code) for code in codes[start:end])
            if words.strip():
                visible = [i for i in range(start, end) if not chr(codes[i]).isspace()]
                _, _, right, _ = text_page.get_charbox(visible[-1], loose=True)
                left, bottom, _, top = text_page.get_charbox(visible[0], loose=True)
                middle = (bottom + top) / 2
                inside = next((t for t in tables if t.holds(left, middle)), None)
                if inside is None:
                    size = abs(top - bottom)
                    out.append(_Line(words.strip(), right, middle / height, size))
                elif id(inside) not in shown:
                    shown.add(id(inside))
                    out.extend(_rows(inside))
            start = end + 1
        return out
    finally:
        text_page.close()
        page.close()


def _rows(table: Table) -> list[_Line]:
    """Return the rows of a table as lines that are never joined and never in a margin."""
    rows = [row for row in markdown_rows(table.rows) if row]
    return [_Line(row, 0.0, 0.5, 0.0) for row in rows]


def _character(code: int) -> str:
    """Return a code point as text; NUL and a soft hyphen at the end of a line become nothing."""
    return "" if code in (0, 2, 0xFFFE, 0xAD) or code > 0x10FFFF else chr(code)


def _without_running_heads(pages: Sequence[list[_Line]]) -> list[list[_Line]]:
    """Return the pages without page numbers and without lines that recur in the margins.

    Digits are ignored in the comparison. A line recurs if it is on at least half of the pages, and
    on at least two.
    """
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_shape(line.text) for line in _outer(page)})
    needed = max(2, len(pages) / 2)
    out = []
    for page in pages:
        outer = {id(line) for line in _outer(page)}
        out.append(
            [
                line
                for line in page
                if id(line) not in outer
                or not (_PAGE_NUMBER.match(line.text) or seen[_shape(line.text)] >= needed)
            ]
        )
    return out


def _outer(page: Sequence[_Line]) -> list[_Line]:
    return [line for line in page if line.height > 1 - _MARGIN or line.height < _MARGIN]


def _shape(text: str) -> str:
    return re.sub(r"\d+", "0", "".join(text.split()))


def _text(pages: Sequence[list[_Line]]) -> str:
    """Return the lines joined into paragraphs: a full line continues unless the next starts a new
    unit.
    """
    lines = [line for page in pages for line in page]
    if not lines:
        return ""
    margin = _right_margin(lines)
    paragraphs: list[list[str]] = []
    previous: _Line | None = None
    for line in lines:
        full = previous is not None and previous.right > margin - 2.5 * max(previous.size, 1.0)
        same_size = previous is not None and abs(previous.size - line.size) < 0.35 * line.size
        within = bool(paragraphs) and _unclosed(paragraphs[-1][-1])
        if previous is not None and full and same_size and (within or not _begins(line.text)):
            paragraphs[-1].append(line.text)
        else:
            paragraphs.append([line.text])
        previous = line
    return "\n".join(_glued(paragraphs)) + "\n"


def _begins(text: str) -> bool:
    return _STARTS.match(text) is not None


def _unclosed(text: str) -> bool:
    """Return whether an amendment tag or a quoted name continues in the next line:
    `<개정 2013. 11.`
    """
    return text.rfind("<") > text.rfind(">") or text.rfind("「") > text.rfind("」")


def _right_margin(lines: Sequence[_Line]) -> float:
    """Return the right edge of full lines in points: a tenth of the lines reach it."""
    edges = sorted((line.right for line in lines if line.size), reverse=True)
    return edges[len(edges) // 10] if edges else 0.0


def _glued(paragraphs: Sequence[list[str]]) -> list[str]:
    """Return the lines of each paragraph joined.

    A PDF does not say whether a line ended inside a word. Kiwi's language model decides whether a
    blank belongs between two lines.
    """
    seams = [seam for lines in paragraphs for seam in itertools.pairwise(lines)]
    answers = iter(blanks_between(seams))
    out = []
    for lines in paragraphs:
        text = lines[0]
        for line in lines[1:]:
            hyphen = bool(re.search(r"[A-Za-z]-$", text)) and line[:1].islower()
            blank = next(answers)
            text = text[:-1] + line if hyphen else f"{text} {line}" if blank else text + line
        out.append(text)
    return out


def _facts(pages: Sequence[list[_Line]], meta: dict[str, str]) -> dict[str, str]:
    """Return the title and day from the law portal's head
    (`전자금융거래법 / [시행 2024. 9. 15.] …`).
    """
    head = [line.text for page in pages[:1] for line in page][:12]
    out: dict[str, str] = {}
    for index, text in enumerate(head):
        match = re.match(r"^\[\s*시행\s*([\d.\s]+)\]", text)
        if match:
            out["시행일자"] = match.group(1)
            if index > 0:
                out["title"] = head[index - 1].strip()
            return out
    if meta.get("Title"):
        out["title"] = meta["Title"]
    return out
