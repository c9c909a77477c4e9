"""Documents to passages that can be retrieved and cited.

An article is a chunk headed by its act's name and its own header; one over the limit is split
by 항, then 호, then 목, then sentence, each part under the same header. Other documents are cut by
heading. Every character that is not blank lies in one chunk's span or in one removed span.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw.data.amendments import mask_amendments, strip_amendments
from kofinlaw.data.documents import Document
from kofinlaw.data.files import sha256_text
from kofinlaw.data.provisions import ITEM, PARAGRAPH, PLAIN, SUBITEM, Line, label, render
from kofinlaw.data.records import Article, Chunk
from kofinlaw.data.settings import ChunkSettings
from kofinlaw.data.statute import ArticleNode, Section, parse_statute
from kofinlaw.data.tables import plain_table

CountTokens = Callable[[str], int]
# A paragraph's opening words are said again above its items when they take less than this share.
CONTEXT_SHARE = 0.25
ESTIMATED_TOKENS_PER_CHARACTER = 0.6

_CUT = re.compile(r"(?<=[.;다])\s+|\s+")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$")


def estimate_tokens(text: str) -> int:
    """Tokens of Korean text without a tokenizer: 0.6 a character, rounded up."""
    return -int(-len(text) * ESTIMATED_TOKENS_PER_CHARACTER // 1)


@dataclass(frozen=True, slots=True)
class Span:
    """Where a chunk's own words, or removed words, stand in `Document.text` (characters)."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True)
class Chunked:
    """A document's chunks, articles and spans; `spans[i]` belongs to `chunks[i]`, `removed` names
    the reason (heading, deleted, supplement, annex, preamble, blank)."""

    chunks: tuple[Chunk, ...]
    articles: tuple[Article, ...]
    spans: tuple[Span, ...]
    removed: tuple[Span, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a long body: the words said again above it, its label, its words, its span."""

    context: str
    label: str
    text: str
    start: int
    end: int


def chunk_document(
    document: Document, settings: ChunkSettings, count_tokens: CountTokens = estimate_tokens
) -> Chunked:
    """Cut a document by its kind; no chunk is longer than the kind's limit in tokens.

    The one exception is a header that by itself fills the limit: it is shortened.
    """
    cutter = _Cutter(document, settings, count_tokens)
    if document.kind in ("statute", "rule"):
        statute = parse_statute(document.text)
        if statute.articles:
            cutter.statute(statute.articles, statute.supplements, statute.annexes)
            cutter.removed.extend(Span(*span) for span in statute.removed)
            return cutter.done()
    cutter.sections()
    return cutter.done()


class _Cutter:
    """Collects one document's chunks; `taken` holds the ids that are in use."""

    def __init__(self, document: Document, settings: ChunkSettings, count: CountTokens) -> None:
        self.document = document
        self.settings = settings
        self.count = count
        self.limit = settings.limit(document.kind)
        self.taken: dict[str, int] = {}
        self.chunks: list[Chunk] = []
        self.articles: list[Article] = []
        self.spans: list[Span] = []
        self.removed: list[Span] = []
        self.warnings: list[str] = []

    def done(self) -> Chunked:
        return Chunked(
            tuple(self.chunks),
            tuple(self.articles),
            tuple(self.spans),
            tuple(self.removed),
            tuple(self.warnings),
        )

    def statute(
        self,
        articles: Sequence[ArticleNode],
        supplements: Sequence[Section],
        annexes: Sequence[Section],
    ) -> None:
        seen: dict[str, int] = {}
        for node in articles:
            seen[node.number] = seen.get(node.number, 0) + 1
            repeat = f"@{seen[node.number]}" if seen[node.number] > 1 else ""
            if repeat:
                self.warnings.append(f"{node.number} stands {seen[node.number]} times")
            self._article(node, repeat)
        for kept, sections, reason in (
            (self.settings.include_supplements, supplements, "supplement"),
            (self.settings.include_annexes, annexes, "annex"),
        ):
            for section in sections:
                if kept and section.text.strip():
                    self._section(section)
                else:
                    self.removed.append(Span(section.start, section.end, reason))

    def _article(self, node: ArticleNode, repeat: str) -> None:
        title, number = self.document.title, node.number + repeat
        unit = f"{title} {number}"
        base = f"{self.document.id}/{number}"
        ids: list[str] = []
        if node.deleted or not node.text.strip():
            self.removed.append(Span(node.start, node.end, "deleted"))
        else:
            header = self._fit_header(f"{title} {node.header}")
            parts = split_lines(
                node.lines, header, self.limit, self.count, self.document.text, node.start, node.end
            )
            for part in parts:
                path = " > ".join([*node.path, node.header, *([part.label] if part.label else [])])
                suffix = f"/{part.label}" if part.label else ""
                ids.append(self._add(base + suffix, unit, path, header, part))
        self.articles.append(
            Article(
                id=unit,
                document_id=self.document.id,
                title=title,
                kind=self.document.kind,
                number=node.number,
                heading=node.heading,
                path=" > ".join(node.path),
                lead=node.lead,
                text=node.text,
                provisions=node.provisions,
                deleted=node.deleted,
                as_of=self.document.as_of,
                source=self.document.source,
                license=self.document.license,
                chunk_ids=tuple(ids),
            )
        )

    def _section(self, section: Section) -> None:
        """An annex or a supplement: rows and lines under its title."""
        name = re.sub(r"\s+", " ", section.title).strip() or "부칙"
        number = re.match(r"(?:[<\[〈【]\s*)?((?:별표|별지|서식)\s*(?:제?\s*[\d의-]+)?)", name)
        short = number.group(1).strip() if number else name
        header = self._fit_header(f"{self.document.title} {name}")
        unit = f"{self.document.title} {short}"
        body = _body_start(self.document.text, section.start, section.end)
        lines = _plain_lines(self.document.text, body, section.end)
        parts = split_lines(
            lines, header, self.limit, self.count, self.document.text, section.start, section.end
        )
        for part in parts:
            suffix = f"/{part.label}" if part.label else ""
            self._add(f"{self.document.id}/{short}{suffix}", unit, name, header, part)

    def sections(self) -> None:
        """Cut by Markdown headings; the text before the first stands under the title alone."""
        text = self.document.text
        for path, start, body, end in heading_sections(text):
            if path and path[0] == self.document.title:
                path = path[1:]
            if not text[body:end].strip():
                if text[start:end].strip():
                    self.removed.append(Span(start, end, "heading"))
                continue
            unit = " > ".join([self.document.title, *path])
            header = self._fit_header(unit)
            lines = _plain_lines(text, body, end)
            for part in split_lines(lines, header, self.limit, self.count, text, start, end):
                where = " > ".join([*path, *([part.label] if part.label else [])])
                base = "/".join([self.document.id, *(p.replace("/", "∕") for p in path)])
                suffix = f"/{part.label}" if part.label else ""
                self._add(base + suffix, unit, where, header, part)

    def _fit_header(self, header: str) -> str:
        """The header, cut to half of the limit where it alone would fill a chunk."""
        while self.count(header) > self.limit // 2 and len(header) > 8:
            header = header[: len(header) * 3 // 4]
        return header

    def _add(self, name: str, unit: str, path: str, header: str, part: Part) -> str:
        repeats = self.taken[name] = self.taken.get(name, 0) + 1
        if repeats > 1:
            name = f"{name}#{repeats}"
        body = f"{part.context}\n{part.text}" if part.context else part.text
        text = f"{header}\n{body}"
        self.chunks.append(
            Chunk(
                id=name,
                document_id=self.document.id,
                title=self.document.title,
                kind=self.document.kind,
                path=path,
                unit=unit,
                text=text,
                as_of=self.document.as_of,
                source=self.document.source,
                license=self.document.license,
                sha256=sha256_text(text),
            )
        )
        self.spans.append(Span(part.start, part.end, name))
        return name


def heading_sections(text: str) -> list[tuple[tuple[str, ...], int, int, int]]:
    """(headings above, start, start of the body, end) of each section of Markdown, in order.

    Levels that jump (`#` then `####`) nest by order; headings inside fences are text.
    """
    out: list[tuple[tuple[str, ...], int, int, int]] = []
    stack: list[tuple[int, str]] = []
    start = body = offset = 0
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line)
        if match:
            out.append((tuple(t for _, t in stack), start, body, offset))
            level = len(match.group(1))
            stack = [(depth, title) for depth, title in stack if depth < level]
            stack.append((level, match.group(2)))
            start, body = offset, min(offset + len(line) + 1, len(text))
        offset += len(line) + 1
    out.append((tuple(t for _, t in stack), start, body, len(text)))
    return [section for section in out if text[section[1] : section[3]].strip()]


def _body_start(text: str, start: int, end: int) -> int:
    newline = text.find("\n", start, end)
    return newline + 1 if newline >= 0 else end


def _plain_lines(text: str, start: int, end: int) -> list[Line]:
    """The lines between two offsets, unmarked; frames drawn with box characters become rows."""
    lines: list[Line] = []
    offset = start
    for raw in text[start:end].split("\n"):
        if raw.strip():
            clean = strip_amendments(plain_table(raw))[0].strip()
            if clean:
                lines.append(Line(PLAIN, "", clean, offset, offset + len(raw)))
        offset += len(raw) + 1
    return lines


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


__all__ = ["ITEM", "Chunked", "Part", "Span", "chunk_document", "estimate_tokens", "split_lines"]
