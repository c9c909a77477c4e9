"""Split a question's text into its stem and its options, by the marks that begin lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kofinlaw import UserError

__all__ = ["MAX_OPTIONS", "checked_options", "split_options"]

MAX_OPTIONS = 9

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_SYLLABLES = "가나다라마바사아자차카타파하"
_LETTERS = "ABCDEFGHIJKL"
# A mark begins a line; each pattern captures the mark and the text of the option.
_STYLES = {
    "circled": re.compile(rf"^\s*([{_CIRCLED}])\s*(.*)"),
    "bracketed": re.compile(r"^\s*[(（](\d{1,2})[)）]\s*(.*)"),
    "dotted": re.compile(r"^\s*(\d{1,2})\s*[.)．]\s*(.*)"),
    "bare": re.compile(r"^\s*(\d{1,2})(?:\s++(.*))?$"),
    "syllable": re.compile(rf"^\s*[(（]?([{_SYLLABLES}])[.)）]\s*(.*)"),
    "letter": re.compile(rf"^\s*[(（]?([{_LETTERS}])[.)）]\s*(.*)"),
}
_ASKS_A_CHOICE = re.compile(
    r"(다음|아래|보기)\s*(중|가운데)|고르|[은는]\s*것은|것을\s*고|[은는]\s*무엇"
)


def split_options(text: str, *, where: str = "") -> tuple[str, tuple[str, ...]]:
    """Return the stem and the texts of the options without their marks (no options: free text).

    Options begin with `1`, `1.`, `1)`, `①`, `(1)`, `가.` or `A.` at the start of a line, numbered
    from one without a gap to the end of the text. Lines in between continue an option. Circled
    marks may also be in one line. If a stem asks for a choice and two to nine unmarked lines
    follow, those are its options.

    `where` names the question in error messages. Raises UserError for ten options or more, or an
    empty one.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blocks = [block for style in _STYLES if (block := _last_block(lines, style)) is not None]
    # A numbered list within the stem ends before the options begin, so the latest start wins,
    # unless that list lies between two options of another style.
    blocks.sort(key=lambda block: block[0], reverse=True)
    for position, (start, marks, style) in enumerate(blocks):
        if any(other[0] < start < other[1][-1] for other in blocks[position + 1 :]):
            continue
        stem = "\n".join(lines[:start]).strip()
        if not stem:
            continue
        ends = [*marks[1:], len(lines)]
        options = tuple(
            _option_text(lines[mark:end], style) for mark, end in zip(marks, ends, strict=True)
        )
        return checked_options(stem, options, where)
    inline = _inline_circled(text)
    if inline is not None:
        return checked_options(*inline, where)
    return _unmarked(text, lines)


def checked_options(stem: str, options: tuple[str, ...], where: str) -> tuple[str, tuple[str, ...]]:
    """Return the same stem and options.

    Raises UserError, with `where`, for fewer than two options, more than nine or an empty one.
    """
    if not 2 <= len(options) <= MAX_OPTIONS:
        raise UserError(
            f"the question has {len(options)} option{'s' * (len(options) != 1)}",
            where=where,
            remedy=f"a multiple-choice question has 2 to {MAX_OPTIONS}",
        )
    for number, option in enumerate(options, 1):
        if not option:
            raise UserError(f"option {number} is empty", where=where, remedy="fill it in")
    return stem, options


def _number(style: str, mark: str) -> int:
    if style == "circled":
        return _CIRCLED.index(mark) + 1
    if style == "syllable":
        return _SYLLABLES.index(mark) + 1
    if style == "letter":
        return _LETTERS.index(mark) + 1
    return int(mark)


def _last_block(lines: Sequence[str], style: str) -> tuple[int, list[int], str] | None:
    """Return the last run of marks 1, 2, 3 ... of a style: its first line, each mark's line,
    the style.
    """
    marks: list[int] = []
    best: list[int] = []
    for position, line in enumerate(lines):
        found = _STYLES[style].match(line)
        if not found:
            continue
        number = _number(style, found[1])
        if number == len(marks) + 1:
            marks.append(position)
        elif number == 1:
            marks = [position]
        if len(marks) >= 2:
            best = marks
    return (best[0], best, style) if best else None


def _option_text(lines: Sequence[str], style: str) -> str:
    found = _STYLES[style].match(lines[0])
    first = (found[2] or "") if found else lines[0]
    return " ".join(part for line in (first, *lines[1:]) if (part := line.strip()))


def _inline_circled(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Split `… 것은? ① 가 ② 나 ③ 다`: marks in order within one line."""
    start = text.rfind("①")
    if start <= 0:
        return None
    pieces = re.split(rf"[{_CIRCLED}]", text[start:])[1:]
    marks = re.findall(rf"[{_CIRCLED}]", text[start:])
    stem = text[:start].strip()
    if not stem or len(marks) < 2 or marks != list(_CIRCLED[: len(marks)]):
        return None
    # A sentence that cites ①, ② is not a list of options: options come after the question's end.
    if not re.search(r"[?？.:：)]\s*$", stem):
        return None
    return stem, tuple(" ".join(piece.split()) for piece in pieces)


def _unmarked(text: str, lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return options without marks, one a line, where the stem asks for a choice."""
    filled = [line.strip() for line in lines if line.strip()]
    stem, options = filled[0], tuple(filled[1:])
    asks = stem.endswith(("?", "？", "시오.", "오.")) and _ASKS_A_CHOICE.search(stem)
    if asks and 2 <= len(options) <= MAX_OPTIONS:
        return stem, options
    return text.strip(), ()
