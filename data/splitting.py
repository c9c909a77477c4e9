"""A body too long for one chunk, in parts under the same header."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw.data.amendments import mask_amendments, strip_amendments
from kofinlaw.data.provisions import PARAGRAPH, PLAIN, SUBITEM, Line, label, render
from kofinlaw.data.tables import plain_table

CountTokens = Callable[[str], int]
# A paragraph's opening words are said again above its items when they take less than this share.
CONTEXT_SHARE = 0.25

_CUT = re.compile(r"(?<=[.;다])\s+|\s+")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a long body: the words said again above it, its label, its words, its span."""

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
) -> list[Part]:
    """The body as parts that fit `limit` tokens under their header, in order.

    The parts' spans follow one another from `start` to `end` without a gap. A body that fits is
    one part without a label.
    """
    whole = "\n".join(render(line) for line in lines)
    if not whole.strip():
        return [Part("", "", "", start, end)] if text[start:end].strip() else []
    if count(f"{header}\n{whole}") <= limit:
        return [Part("", "", whole, start, end)]
    splitter = _Splitter(header, limit, count, text)
    parts = splitter.split(list(lines), PARAGRAPH, "", "")
    return _joined(parts, splitter, start, end)


def _joined(parts: list[Part], splitter: _Splitter, start: int, end: int) -> list[Part]:
    """Neighbours under the same context put together while they fit; spans closed up."""
    merged: list[Part] = []
    for part in parts:
        if merged and merged[-1].context == part.context:
            both = f"{merged[-1].text}\n{part.text}"
            if splitter.fits(part.context, both):
                merged[-1] = Part(part.context, merged[-1].label, both, merged[-1].start, part.end)
                continue
        merged.append(part)
    labels: dict[str, int] = {}
    out: list[Part] = []
    for place, part in enumerate(merged):
        name = part.label or "본문"
        labels[name] = labels.get(name, 0) + 1
        if labels[name] > 1:
            name = f"{name}~{labels[name]}"
        first = start if place == 0 else part.start
        last = merged[place + 1].start if place + 1 < len(merged) else end
        out.append(Part(part.context, name, part.text, first, last))
    return out


class _Splitter:
    def __init__(self, header: str, limit: int, count: CountTokens, text: str) -> None:
        self.header = header
        self.limit = limit
        self.count = count
        self.text = text

    def fits(self, context: str, body: str) -> bool:
        above = f"{self.header}\n{context}\n" if context else f"{self.header}\n"
        return self.count(above + body) <= self.limit

    def split(self, lines: list[Line], depth: int, context: str, path: str) -> list[Part]:
        """Parts of lines cut where a node of `depth` begins, deeper where one is too long."""
        if depth > SUBITEM:
            return [part for line in lines for part in self._long_line(line, context, path)]
        parts: list[Part] = []
        for group in _groups(lines, depth):
            head = group[0]
            here = path + label(head) if head.depth == depth else path
            body = "\n".join(render(line) for line in group)
            if self.fits(context, body):
                parts.append(Part(context, here, body, head.start, group[-1].end))
                continue
            above = context
            opening = render(head)
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
        """A line as one part, or cut at sentences, blanks or anywhere until each piece fits."""
        here = (
            path + label(line) if line.depth != PLAIN and not path.endswith(label(line)) else path
        )
        if self.fits(context, render(line)):
            return [Part(context, here, render(line), line.start, line.end)]
        mark = render(Line(line.depth, line.mark, "", 0, 0))
        raw = self.text[line.start : line.end]
        masked = mask_amendments(raw)
        parts: list[Part] = []
        begin = 0
        while begin < len(raw):
            stop = self._reach(raw, masked, begin, context)
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

    def _reach(self, raw: str, masked: str, begin: int, context: str) -> int:
        """The furthest offset up to which the words from `begin` fit, at a good place to cut."""
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
        window = masked[begin:low]
        cuts = [m.end() for m in _CUT.finditer(window) if m.end() > len(window) // 2]
        ends = [c for c in cuts if window[:c].rstrip().endswith((".", "다", ";"))]
        if ends or cuts:
            return begin + (ends or cuts)[-1]
        return low


def _clean(raw: str) -> str:
    return strip_amendments(plain_table(raw.replace("\\.", ".").replace("**", "")))[0].strip()


def _groups(lines: list[Line], depth: int) -> list[list[Line]]:
    """The lines grouped so that each group begins with a node of `depth` (or the first line).

    Unmarked lines follow their node, except where no line is marked: each is its own group.
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
