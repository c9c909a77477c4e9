"""Parse the body of an article into 항 (paragraphs), 호 (items) and 목 (subitems).

Acts put each one on its own line. Supervisory rules often continue the 호 inside the line of the
paragraph. There a mark counts only if it is the next one of its series, so that days
(`2025. 1. 1.`) and figures are not taken for items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.data.law.amendments import mask_amendments, strip_amendments
from kofinlaw.data.law.headers import CIRCLED
from kofinlaw.data.table_rows import is_separator
from kofinlaw.records import Provision

__all__ = [
    "ITEM",
    "PARAGRAPH",
    "PLAIN",
    "SUBITEM",
    "Line",
    "line_label",
    "provision_tree",
    "read_lines",
    "render_line",
    "split_paragraphs",
]

_SYLLABLES = "가나다라마바사아자차카타파하"
_LETTERS = _SYLLABLES + "".join(
    chr(ord("가") + (ord(s) - ord("가")) // 588 * 588 + vowel * 28)
    for vowel in (4, 8, 13, 18, 20)
    for s in _SYLLABLES
)  # 가 … 하, 거 … 허, 고 … 호, 구 …, 그 …, 기 …
_LETTER_INDEX = {letter: index for index, letter in enumerate(_LETTERS)}

_PARAGRAPH = re.compile(rf"^\s*\**([{CIRCLED}])\**(?:\s*\1)?")
_ITEM = re.compile(r"^\s*(\d{1,3}(?:의\d{1,3})*)\s*\\?\.(?!\d)")
_SUBITEM = re.compile(r"^\s*([가-힣](?:의\d{1,2})?)\s*\\?\.")
_INLINE = re.compile(
    r"(?:(?<=[\s>)\].])|^)(?:(?P<number>\d{1,3})(?P<branch>의\d{1,2})?|(?P<letter>[가-힣])(?P<twig>의\d{1,2})?)\s?\."
    r"(?!\d)(?:\s*[~∼～-]\s*(?:(?P<last>\d{1,3})|(?P<end>[가-힣]))\s?\.(?!\d))?"
)
_DAY = re.compile(r"\d{4}\s*\.\s*\d{1,2}\s*\.\s*(?:\d{1,2}\s*\.)?")
_ANNOUNCES = re.compile(r"각\s*호|각\s*목|다음|아래|같다|같이|호의")
_INLINE_PARAGRAPH = re.compile(rf"(?<=[\s.>\])])(?=[{CIRCLED}]\s?\S)")

_ESCAPED = re.compile(r"\\([.\-*_#+!()\[\]>~|`])")

PARAGRAPH, ITEM, SUBITEM, PLAIN = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a body: its depth, its mark (`1`, `2의2`, `가`) and its text.

    `depth` is PARAGRAPH, ITEM, SUBITEM or PLAIN. `text` has no mark and no amendment tags. `start`
    and `end` are character offsets in the document's text.
    """

    depth: int
    mark: str
    text: str
    start: int
    end: int


def read_lines(text: str, start: int, end: int) -> tuple[list[Line], tuple[str, ...]]:
    """Return (lines of the body between two character offsets, the amendment tags removed from it).

    The spans of the lines cover every character that is not blank, except separators of tables
    (`| --- |`): they are not words of the law.
    """
    source = list(_source_lines(text, start, end))
    marked = [_mark(masked) for _, masked in source]
    on_lines = any(depth in (ITEM, SUBITEM) for depth, _, _ in marked)
    lines: list[Line] = []
    tags: list[str] = []
    for (offset, masked), _ in zip(source, marked, strict=True):
        for first, last in split_paragraphs(masked):
            for begin, stop, depth, mark, words in _pieces(masked[first:last], inline=not on_lines):
                raw = text[offset + first + words : offset + first + stop]
                clean, found = strip_amendments(_unescape(raw))
                tags.extend(found)
                span = (offset + first + begin, offset + first + stop)
                lines.append(Line(depth, mark, clean.strip(), *span))
    return lines, tuple(tags)


def _source_lines(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Yield (offset, line with masked tags) of each line that is not blank or a separator."""
    offset = start
    for line in text[start:end].split("\n"):
        if line.strip() and not is_separator(line):
            yield offset, mask_amendments(line)
        offset += len(line) + 1


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text).replace("**", "")


def _mark(line: str) -> tuple[int, str, int]:
    """Return (depth, mark, offset of the words) of a line, by its first characters."""
    if match := _PARAGRAPH.match(line):
        return PARAGRAPH, str(CIRCLED.index(match.group(1)) + 1), match.end()
    if not _DAY.match(line.strip()) and (match := _ITEM.match(line)):
        return ITEM, match.group(1), match.end()
    if (match := _SUBITEM.match(line)) and match.group(1)[0] in _LETTER_INDEX:
        return SUBITEM, match.group(1), match.end()
    return PLAIN, "", 0


def _pieces(line: str, *, inline: bool) -> list[tuple[int, int, int, str, int]]:
    """Return (start, end, depth, mark, offset of the words) of each 항, 호 and 목 in a line."""
    depth, mark, words = _mark(line)
    cuts = _inline_marks(line, words, inside_item=depth == ITEM) if inline else []
    out = [(0, cuts[0][0] if cuts else len(line), depth, mark, words)]
    for index, (begin, words, depth, mark) in enumerate(cuts):
        end = cuts[index + 1][0] if index + 1 < len(cuts) else len(line)
        out.append((begin, end, depth, mark, words))
    return out


def _inline_marks(line: str, words: int, *, inside_item: bool) -> list[tuple[int, int, int, str]]:
    """Return (start, offset of the words, depth, mark) of each mark that continues its series."""
    masked = _DAY.sub(lambda m: "＃" * len(m.group(0)), line)
    series = _Series(inside_item)
    found: list[tuple[int, int, int, str]] = []
    for match in _INLINE.finditer(masked, words):
        if not found and not _ANNOUNCES.search(masked[: match.start()]):
            continue
        if not series.accepts(match):
            continue
        mark = match.group("number") or match.group("letter")
        mark += match.group("branch") or match.group("twig") or ""
        ranged = match.group("last") or match.group("end")
        after = match.start() + len(mark) + 1 if ranged else match.end()
        found.append((match.start(), after, ITEM if match.group("number") else SUBITEM, mark))
    if len(found) == 1 and not re.search(r"각\s*[호목]", masked[: found[0][0]]):
        return []
    return found


@dataclass(slots=True)
class _Series:
    """The last number and letter of the series in a line."""

    inside_item: bool
    number: int = 0
    branch: int = 1
    letter: int = -1

    def accepts(self, match: re.Match[str]) -> bool:
        if match.group("number"):
            return not self.inside_item and self._number(match)
        return self._letter(match)

    def _number(self, match: re.Match[str]) -> bool:
        number, branch = int(match.group("number")), _branch(match.group("branch"))
        follows = (number == self.number + 1 and branch == 1) or (
            number == self.number and number > 0 and branch > self.branch
        )
        if not follows:
            return False
        self.number, self.branch = int(match.group("last") or number), branch
        self.letter = -1
        return True

    def _letter(self, match: re.Match[str]) -> bool:
        index = _LETTER_INDEX.get(match.group("letter"), -2)
        twig = _branch(match.group("twig"))
        if not (index == self.letter + 1 or (twig > 1 and index == self.letter)):
            return False
        self.letter = _LETTER_INDEX.get(match.group("end") or "", index)
        return True


def _branch(text: str | None) -> int:
    return int(text[1:]) if text else 1


def split_paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each 항 in a line that contains several."""
    start = 0
    expected = _expected(text)
    for match in _INLINE_PARAGRAPH.finditer(text):
        if CIRCLED.index(text[match.start()]) == expected:
            yield start, match.start()
            start = match.start()
            expected += 1
    yield start, len(text)


def _expected(text: str) -> int:
    match = _PARAGRAPH.match(text)
    return CIRCLED.index(match.group(1)) + 1 if match else 0


@dataclass(slots=True)
class _Node:
    label: str
    text: list[str]
    children: list[_Node]

    def freeze(self) -> Provision:
        children = tuple(child.freeze() for child in self.children)
        return Provision(self.label, "\n".join(t for t in self.text if t), children)


def provision_tree(lines: list[Line]) -> tuple[str, tuple[Provision, ...]]:
    """Return (opening words, tree of provisions) of the lines of a body.

    A line without a mark continues the node before it. Labels are paths below the article:
    `제1항`, `제1항제2호`, `제1항제2호가목`. A body without 항 has `제2호`, `제2호가목`.
    """
    root = _Node("", [], [])
    open_nodes: list[tuple[int, _Node]] = [(-1, root)]
    for line in lines:
        if line.depth == PLAIN:
            open_nodes[-1][1].text.append(line.text)
            continue
        while open_nodes[-1][0] >= line.depth:
            open_nodes.pop()
        parent = open_nodes[-1][1]
        node = _Node(parent.label + line_label(line), [line.text], [])
        parent.children.append(node)
        open_nodes.append((line.depth, node))
    return "\n".join(t for t in root.text if t), tuple(c.freeze() for c in root.children)


def line_label(line: Line) -> str:
    """Return the mark as it is cited: `제1항`, `제2호의3`, `가목`."""
    head, _, branch = line.mark.partition("의")
    tail = f"의{branch}" if branch else ""
    if line.depth == SUBITEM:
        return f"{head}목{tail}"
    return f"제{head}{'항' if line.depth == PARAGRAPH else '호'}{tail}"


def render_line(line: Line) -> str:
    """Return the line with its mark: `① …`, `1. …`, `가. …`."""
    if line.depth == PARAGRAPH:
        return f"{CIRCLED[int(line.mark) - 1]} {line.text}".rstrip()
    return f"{line.mark}. {line.text}".rstrip() if line.mark else line.text
