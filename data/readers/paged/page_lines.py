"""Join the lines of pages into paragraphs: drop running heads, keep the page of each paragraph."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kofinlaw.data.korean.words import blanks_between
from kofinlaw.data.law.headers import CIRCLED, standard_lines
from kofinlaw.data.readers.frames import drawn_tables, holds_drawing
from kofinlaw.decoding import clean_text

__all__ = [
    "Line",
    "PagedText",
    "count_characters",
    "join_pages",
    "page_range",
    "pages_of_span",
]

# Running heads and page numbers are in this share of the page's height at its top and bottom.
_MARGIN = 0.09
_PAGE_NUMBER = re.compile(r"^[\s\-–—|/]*(?:page\s*)?\d{1,5}(?:\s*/\s*\d{1,5})?[\s\-–—|]*$", re.I)
_STARTS = re.compile(
    rf"^\s*(?:\||제\s*\d+(?:-\d+)?\s*조(?:의\s*\d+)*\s*[(\[<]|제\s*\d+\s*[편장절관](?:의\s*\d+)?(?:\s|$)"
    rf"|[{CIRCLED}]|\d{{1,3}}(?:의\d{{1,2}})?\.(?!\d)\s*\S|[가-하](?:의\d)?\.\s|\(?\d{{1,2}}\)\s|[가-하]\)\s"
    r"|부\s*칙|[\[<〈【]\s*(?:별표|별지|전문개정|본조신설|제목개정|시행)|[□■○●◦▪▶※ㅇ\-·•]\s|제\s*\d+\s*조\s*삭제"
    r"|[IVXⅠ-Ⅻ]+\.\s)"
)
_OPEN_END = re.compile(r"[가-힣],?\s*$")
_FULL = 2.5  # heights of a character: a line that ends so near to the margin is full
_BLANK = 0.5
_LONGEST_WORD = 10  # letters; a longer row without blanks is broken anywhere
_SENTENCE_END = re.compile(r"[가-힣][.?!]$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page.

    `right` is its right edge in points (0: the line never continues), `height` its position above
    the bottom of the page (0 to 1), and `size` the height of its characters in points.
    """

    text: str
    right: float
    height: float
    size: float


@dataclass(frozen=True, slots=True)
class PagedText:
    """The text of a file with pages; `starts` are the offsets at which its pages begin."""

    text: str
    starts: tuple[int, ...]


def count_characters(lines: Iterable[Line]) -> int:
    """Return the number of characters of lines that are not blank."""
    return sum(len("".join(line.text.split())) for line in lines)


def join_pages(pages: Sequence[Sequence[Line]]) -> PagedText:
    """Return the text of pages without running heads and page numbers, with joined paragraphs.

    The text is clean, and headers of articles have the usual form (`law.headers`). A paragraph over
    two pages belongs to the page on which it begins. Tables that are drawn with box characters
    become Markdown tables.
    """
    numbers: list[int] = []
    lines: list[Line] = []
    for number, page in enumerate(_without_running_heads(pages)):
        numbers += [number] * len(page)
        lines += page
    texts = standard_lines([clean_text(line.text).replace("\n", " ") for line in lines])
    lines = [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]
    paragraphs = _paragraphs(lines)
    # The page of each paragraph's first line
    first_lines = itertools.accumulate((len(words) for words in paragraphs), initial=0)
    page_of = [numbers[first] for first, _ in zip(first_lines, paragraphs, strict=False)]
    by_page: list[list[str]] = [[] for _ in pages]
    for number, text in zip(page_of, _glued(paragraphs), strict=True):
        by_page[number].append(text)
    return _assembled(by_page)


def _assembled(pages: Sequence[Sequence[str]]) -> PagedText:
    """Return the paragraphs as a text. A drawn table over several pages stays one table."""
    out, starts, length = [], [0] * len(pages), 0
    number = 0
    while number < len(pages):
        group = list(pages[number])
        starts[number] = length
        number += 1
        while number < len(pages) and _continues(group, pages[number]):
            starts[number] = length
            group += pages[number]
            number += 1
        if group:
            out.append(drawn_tables("\n".join(group)).strip("\n") + "\n")
            length += len(out[-1])
    return PagedText("".join(out), tuple(starts))


def _continues(above: Sequence[str], below: Sequence[str]) -> bool:
    return bool(above and below) and holds_drawing(above[-1]) and holds_drawing(below[0])


def pages_of_span(starts: Sequence[int], text: str, start: int, end: int) -> tuple[int, int]:
    """Return the first and last page (from 1) of a part of a text; (0, 0) without pages."""
    if not starts:
        return 0, 0
    words = text[start:end]
    first = start + len(words) - len(words.lstrip())
    last = max(first, start + len(words.rstrip()) - 1)
    return bisect_right(starts, first), bisect_right(starts, last)


def page_range(pages: Sequence[int]) -> str:
    """Return pages as `2, 5-7`."""
    runs: list[list[int]] = []
    for page in sorted(pages):
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _without_running_heads(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
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


def _outer(page: Sequence[Line]) -> list[Line]:
    return [line for line in page if line.height > 1 - _MARGIN or line.height < _MARGIN]


def _shape(text: str) -> str:
    return re.sub(r"\d+", "0", "".join(text.split()))


def _paragraphs(lines: Sequence[Line]) -> list[list[str]]:
    """Return the lines by paragraph: a full line continues unless the next starts a new unit.

    Lines with box characters are rows of a drawn table and are never joined.
    """
    margin = _right_margin(lines)
    paragraphs: list[list[str]] = []
    previous: Line | None = None
    for line in lines:
        full = (
            previous is not None
            and previous.right != 0.0
            and previous.right > margin - _room(previous, line) * max(previous.size, 1.0)
        )
        same_size = previous is not None and abs(previous.size - line.size) < 0.35 * line.size
        within = bool(paragraphs) and _unclosed(paragraphs[-1][-1])
        drawn = holds_drawing(line.text) or (previous is not None and holds_drawing(previous.text))
        continues = full and same_size and not drawn and (within or not _begins(line.text))
        if continues:
            paragraphs[-1].append(line.text)
        else:
            paragraphs.append([line.text])
        previous = line
    return paragraphs


def _room(line: Line, below: Line) -> float:
    """Return how far from the margin a full line may end, in heights of its characters.

    A line breaks before a word that does not fit, so a long word leaves more room. That counts only
    for a line of prose: a sentence that ended may end its paragraph, and a number may end a row.
    """
    if not _OPEN_END.search(line.text):
        return _FULL
    word = below.text.split(maxsplit=1)[0] if below.text.strip() else ""
    width = sum(0.5 if letter.isascii() else 1.0 for letter in word[:_LONGEST_WORD])
    return max(_FULL, width + _BLANK)


def _begins(text: str) -> bool:
    return _STARTS.match(text) is not None


def _unclosed(text: str) -> bool:
    """Return whether an amendment tag or a quoted name continues in the next line:
    `<개정 2013. 11.`
    """
    return text.rfind("<") > text.rfind(">") or text.rfind("「") > text.rfind("」")


def _right_margin(lines: Sequence[Line]) -> float:
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
            end = text[-2:]
            hyphen = bool(re.search(r"[A-Za-z]-$", end)) and line[:1].islower()
            blank = next(answers) or bool(_SENTENCE_END.search(end) and line[:1].isalnum())
            text = text[:-1] + line if hyphen else f"{text} {line}" if blank else text + line
        out.append(text)
    return out
