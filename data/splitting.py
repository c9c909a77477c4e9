"""Split a body that is too long for one chunk into parts with the same header."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw.data.law.amendments import mask_amendments, strip_amendments
from kofinlaw.data.law.provisions import PARAGRAPH, PLAIN, SUBITEM, Line, line_label, render_line
from kofinlaw.data.readers.tables import plain_table
from kofinlaw.data.table_rows import is_row

__all__ = ["CONTEXT_SHARE", "CountTokens", "Part", "SentenceEnds", "split_lines"]

CountTokens = Callable[[str], int]
# The character offsets at which the sentences of a text end.
SentenceEnds = Callable[[str], Sequence[int]]
# The opening words of a paragraph are repeated above its items if they take less than this share
# of the token limit.
CONTEXT_SHARE = 0.25
# A longer line is not a paragraph of sentences, and Kiwi would need minutes for it.
_MAX_SENTENCE_CHARACTERS = 20_000

_CUT = re.compile(r"(?<=[.;다])\s+|\s+")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a long body.

    `context` are the words that are repeated above it. `start` and `end` are character offsets in
    the document's text.
    """

    context: str
    label: str
    text: str
    start: int
    end: int


def split_lines(
    lines: Sequence[Line],
    header: str,
    limit: int,
    count: CountTokens,
    text: str,
    start: int,
    end: int,
    sentences: SentenceEnds | None = None,
) -> list[Part]:
    """Split a body into parts that fit into `limit` tokens with their header, in order.

    The spans of the parts cover `start` to `end` without gaps. A body that fits is one part
    without a label. A part that starts inside a table repeats the first row of the table.

    Args:
        lines: The lines of the body.
        header: The header above every part.
        limit: The largest number of tokens of a part with its header.
        count: The number of tokens of a text.
        text: The text of the document.
        start: The character offset at which the body starts in `text`.
        end: The character offset at which the body ends in `text`.
        sentences: Finds the ends of sentences, where long lines may be split; by default a rule.
    """
    whole = "\n".join(render_line(line) for line in lines)
    if not whole.strip():
        return [Part("", "", "", start, end)] if text[start:end].strip() else []
    if count(f"{header}\n{whole}") <= limit:
        return [Part("", "", whole, start, end)]
    splitter = _Splitter(header, limit, count, text, sentences)
    parts = splitter.split(list(lines), PARAGRAPH, "", "")
    return _joined(parts, splitter, _first_rows(lines), start, end)


def _first_rows(lines: Sequence[Line]) -> dict[int, str]:
    """Return the first row of the table of each later row, by the offset of the later row."""
    out: dict[int, str] = {}
    first = ""
    for line in lines:
        row = line.depth == PLAIN and is_row(line.text)
        if row and first:
            out[line.start] = first
        first = (first or line.text) if row else ""
    return out


def _joined(
    parts: list[Part], splitter: _Splitter, first_rows: dict[int, str], start: int, end: int
) -> list[Part]:
    """Return the parts, with neighbours of the same context joined while they fit,
    and without gaps.
    """
    merged: list[Part] = []
    above = ""  # the context of the current part, without the first row of its table
    for part in parts:
        if merged and above == part.context:
            open_part = merged[-1]
            context, both = open_part.context, f"{open_part.text}\n{part.text}"
            if splitter.fits(context, both):
                merged[-1] = Part(context, open_part.label, both, open_part.start, part.end)
                continue
        above = part.context
        merged.append(splitter.under(first_rows.get(part.start, ""), part))
    labels: dict[str, int] = {}
    out: list[Part] = []
    for index, part in enumerate(merged):
        name = part.label or "본문"
        labels[name] = labels.get(name, 0) + 1
        if labels[name] > 1:
            name = f"{name}~{labels[name]}"
        first = start if index == 0 else part.start
        last = merged[index + 1].start if index + 1 < len(merged) else end
        out.append(Part(part.context, name, part.text, first, last))
    return out


class _Splitter:
    """Splits the lines of one body."""

    def __init__(
        self,
        header: str,
        limit: int,
        count: CountTokens,
        text: str,
        sentences: SentenceEnds | None,
    ) -> None:
        self.header = header
        self.sentences = sentences
        self.limit = limit
        self.count = count
        self.text = text

    def fits(self, context: str, body: str) -> bool:
        above = f"{self.header}\n{context}\n" if context else f"{self.header}\n"
        return self.count(above + body) <= self.limit

    def under(self, first_row: str, part: Part) -> Part:
        """Return the part with the first row of its table above it, if
        that row is short and both fit.
        """
        context = f"{part.context}\n{first_row}" if part.context else first_row
        short = self.count(first_row) < self.limit * CONTEXT_SHARE
        if not first_row or not short or not self.fits(context, part.text):
            return part
        return Part(context, part.label, part.text, part.start, part.end)

    def split(self, lines: list[Line], depth: int, context: str, path: str) -> list[Part]:
        """Return the parts of lines, split at nodes of `depth`,
        and deeper if a part is too long.
        """
        if depth > SUBITEM:
            return [part for line in lines for part in self._long_line(line, context, path)]
        parts: list[Part] = []
        for group in _groups(lines, depth):
            head = group[0]
            here = path + line_label(head) if head.depth == depth else path
            body = "\n".join(render_line(line) for line in group)
            if self.fits(context, body):
                parts.append(Part(context, here, body, head.start, group[-1].end))
                continue
            above = context
            opening = render_line(head)
            nested = head.depth == depth and len(group) > 1
            if nested and self.count(opening) < self.limit * CONTEXT_SHARE:
                above = f"{context}\n{opening}" if context else opening
                if self.count(f"{self.header}\n{above}") > self.limit // 2:
                    above = context
            if above != context:
                rest = self.split(group[1:], depth + 1, above, here)
                first = rest[0]
                parts.append(Part(first.context, first.label, first.text, head.start, first.end))
                parts.extend(rest[1:])
            else:
                parts.extend(self.split(group, depth + 1, context, here))
        return parts

    def _long_line(self, line: Line, context: str, path: str) -> list[Part]:
        """Return a line as one part, or split at sentences, blanks
        or anywhere until each piece fits.
        """
        here = (
            path + line_label(line)
            if line.depth != PLAIN and not path.endswith(line_label(line))
            else path
        )
        if self.fits(context, render_line(line)):
            return [Part(context, here, render_line(line), line.start, line.end)]
        mark = render_line(Line(line.depth, line.mark, "", 0, 0))
        raw = self.text[line.start : line.end]
        masked = mask_amendments(raw)
        ends = (
            self.sentences(raw) if self.sentences and len(raw) <= _MAX_SENTENCE_CHARACTERS else ()
        )
        parts: list[Part] = []
        begin = 0
        while begin < len(raw):
            stop = self._reach(raw, masked, begin, context, ends)
            words = _clean(raw[begin:stop])
            if begin and line.depth != PLAIN and self.fits(context, f"{mark} … {words}"):
                words = f"{mark} … {words}" if words else ""
            if words:
                parts.append(Part(context, here, words, line.start + begin, line.start + stop))
            elif parts:
                last = parts[-1]
                parts[-1] = Part(last.context, here, last.text, last.start, line.start + stop)
            begin = stop
        return parts

    def _reach(
        self, raw: str, masked: str, begin: int, context: str, sentence_ends: Sequence[int]
    ) -> int:
        """Return the last good offset to split at, so that the words from `begin` fit."""
        spare = "가나다. … "
        low, step = begin + 1, self.limit
        while begin + step < len(raw) and self.fits(
            context, spare + _clean(raw[begin : begin + step])
        ):
            low, step = begin + step, step * 2
        high = min(begin + step, len(raw))
        while low < high:
            middle = (low + high + 1) // 2
            if self.fits(context, spare + _clean(raw[begin:middle])):
                low = middle
            else:
                high = middle - 1
        if low >= len(raw):
            return len(raw)
        fitting = [end for end in sentence_ends if begin + (low - begin) // 2 < end <= low]
        if fitting:
            return fitting[-1]
        window = masked[begin:low]
        cuts = [m.end() for m in _CUT.finditer(window) if m.end() > len(window) // 2]
        ends = [c for c in cuts if window[:c].rstrip().endswith((".", "다", ";"))]
        if ends or cuts:
            return begin + (ends or cuts)[-1]
        return low


def _clean(raw: str) -> str:
    return strip_amendments(plain_table(raw.replace("\\.", ".").replace("**", "")))[0].strip()


def _groups(lines: list[Line], depth: int) -> list[list[Line]]:
    """Return the lines in groups that each start with a node of `depth` (or with the first line).

    A line without a mark belongs to the node before it. If no line has a mark, each is a group.
    """
    if depth == PARAGRAPH and all(line.depth == PLAIN for line in lines):
        return [[line] for line in lines]
    groups: list[list[Line]] = []
    for line in lines:
        if not groups or line.depth == depth or (line.depth < depth and line.depth != PLAIN):
            groups.append([line])
        else:
            groups[-1].append(line)
    return groups
