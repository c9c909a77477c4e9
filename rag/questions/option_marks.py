"""A question's text parted into its stem and its options, by the marks that open lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kofinlaw import UserError

MOST_OPTIONS = 9

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_SYLLABLES = "가나다라마바사아자차카타파하"
_LETTERS = "ABCDEFGHIJKL"
# A mark opens a line; each pattern gives the mark and the option's text.
_STYLES = {
    "circled": re.compile(rf"\s*([{_CIRCLED}])\s*(.*)"),
    "bracketed": re.compile(r"\s*[(（](\d{1,2})[)）]\s*(.*)"),
    "dotted": re.compile(r"\s*(\d{1,2})\s*[.)．]\s*(.*)"),
    "bare": re.compile(r"\s*(\d{1,2})(?:\s+(.*)|\s*)$"),
    "syllable": re.compile(rf"\s*[(（]?([{_SYLLABLES}])[.)）]\s*(.*)"),
    "letter": re.compile(rf"\s*[(（]?([{_LETTERS}])[.)）]\s*(.*)"),
}
_ASKS_A_CHOICE = re.compile(
    r"(다음|아래|보기)\s*(중|가운데)|고르|[은는]\s*것은|것을\s*고|[은는]\s*무엇"
)


def split_options(text: str, *, where: str = "") -> tuple[str, tuple[str, ...]]:
    """The stem and the options' texts without their marks (no options: free text).

    Options open their lines with `1`, `1.`, `1)`, `①`, `(1)`, `가.` or `A.`, numbered from one
    without a gap to the end of the text; lines in between continue an option. Circled marks may
    also stand in one line. A stem that asks for a choice and is followed by two to nine unmarked
    lines has those as its options. Raises UserError for ten options or more, or an empty one.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blocks = [block for style in _STYLES if (block := _last_block(lines, style)) is not None]
    # A numbered list within the stem ends before the options begin, so the latest start wins,
    # unless that list lies between two options of another style.
    blocks.sort(key=lambda block: block[0], reverse=True)
    for at, (start, marks, style) in enumerate(blocks):
        if any(other[0] < start < other[1][-1] for other in blocks[at + 1 :]):
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
    """The same, or UserError for fewer than two options, more than nine or an empty one."""
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise UserError(
            f"{len(options)} option{'s' * (len(options) != 1)}",
            where=where,
            remedy=f"a multiple choice has 2 to {MOST_OPTIONS}",
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
    """The last run of marks 1, 2, 3 … of one style: its first line, each mark's line, the style."""
    marks: list[int] = []
    best: list[int] = []
    for at, line in enumerate(lines):
        found = _STYLES[style].match(line)
        if not found:
            continue
        number = _number(style, found[1])
        if number == len(marks) + 1:
            marks.append(at)
        elif number == 1:
            marks = [at]
        if len(marks) >= 2:
            best = marks
    return (best[0], best, style) if best else None


def _option_text(lines: Sequence[str], style: str) -> str:
    found = _STYLES[style].match(lines[0])
    first = (found[2] or "") if found else lines[0]
    return " ".join(part for line in (first, *lines[1:]) if (part := line.strip()))


def _inline_circled(text: str) -> tuple[str, tuple[str, ...]] | None:
    """`… 것은? ① 가 ② 나 ③ 다`: marks in order within one line."""
    at = text.rfind("①")
    if at <= 0:
        return None
    pieces = re.split(rf"[{_CIRCLED}]", text[at:])[1:]
    marks = re.findall(rf"[{_CIRCLED}]", text[at:])
    stem = text[:at].strip()
    if not stem or len(marks) < 2 or marks != list(_CIRCLED[: len(marks)]):
        return None
    # A sentence that cites ①, ② is no list of options: those end the text after the question.
    if not re.search(r"[?？.:：)]\s*$", stem):
        return None
    return stem, tuple(" ".join(piece.split()) for piece in pieces)


def _unmarked(text: str, lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    filled = [line.strip() for line in lines if line.strip()]
    stem, options = filled[0], tuple(filled[1:])
    asks = stem.endswith(("?", "？", "시오.", "오.")) and _ASKS_A_CHOICE.search(stem)
    if asks and 2 <= len(options) <= MOST_OPTIONS:
        return stem, options
    return text.strip(), ()
