"""Split documents into chunks: passages that can be retrieved and cited.

An article becomes one chunk below the name of its act and its own header. An article over the
token limit is split by 항, then 호, then 목, then sentence, and each part has the same header.
Other documents are split by heading. Every character that is not blank belongs to the span of
exactly one chunk, or to exactly one removed span.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.data.annex_text import deletion, lines_of_name
from kofinlaw.data.korean.words import sentence_ends
from kofinlaw.data.law.amendments import strip_amendments
from kofinlaw.data.law.annexes import Annex, annex_name
from kofinlaw.data.law.headings import markdown_heading
from kofinlaw.data.law.provisions import PLAIN, Line
from kofinlaw.data.law.statute import ArticleNode, Section, parse_statute
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.readers.paged.unread_pages import page_facts
from kofinlaw.data.readers.tables import plain_table
from kofinlaw.data.settings import ChunkSettings
from kofinlaw.data.splitting import CountTokens, Part, split_lines
from kofinlaw.data.tables.parts import row_parts, table_runs
from kofinlaw.files import sha256_text
from kofinlaw.records import Article, Chunk

__all__ = [
    "ESTIMATED_TOKENS_PER_CHARACTER",
    "Chunked",
    "Span",
    "chunk_document",
    "estimate_tokens",
    "heading_sections",
]

ESTIMATED_TOKENS_PER_CHARACTER = 0.6

# The number that a word processor writes before a heading: `1.`, `1`, `가.`, `(1)`, `II.`, `제1장`
_NUMBERED = re.compile(
    r"^(?:\(?(?:\d{1,3}(?:[.-]\d{1,3}){0,4}|[가-하A-Za-zⅠ-Ⅻ]|[IVX]{1,4})[.)]"
    r"|\d{1,3}|[①-⑳]|제\s?\d{1,3}\s?[편장절관]\.?) "
)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a Korean text without a tokenizer: 0.6 a character, rounded up."""
    return -int(-len(text) * ESTIMATED_TOKENS_PER_CHARACTER // 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The character offsets of a chunk's own text, or of removed text, in `Document.text`."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True)
class Chunked:
    """The chunks and articles of a document, and the spans of its text.

    `spans[i]` belongs to `chunks[i]`. The name of a removed span is the reason: heading, deleted,
    supplement, annex, preamble or blank.
    """

    chunks: tuple[Chunk, ...]
    articles: tuple[Article, ...]
    spans: tuple[Span, ...]
    removed: tuple[Span, ...]
    warnings: tuple[str, ...] = ()


def chunk_document(
    document: Document, settings: ChunkSettings, count_tokens: CountTokens = estimate_tokens
) -> Chunked:
    """Split a document by its kind, into chunks within the token limit of the kind.

    A header that would fill more than half of the limit is shortened. An annex in a file of its
    own is split as an annex inside its regulation is: its unit is `은행업감독규정 별표 3`.
    """
    chunker = _Chunker(document, settings, count_tokens)
    if document.annex is not None:
        chunker.annex(document.annex)
        return chunker.done()
    if document.kind in ("statute", "rule"):
        statute = parse_statute(document.text)
        if statute.articles:
            chunker.statute(statute.articles, statute.supplements, statute.annexes)
            chunker.removed.extend(Span(*span) for span in statute.removed)
            return chunker.done()
    chunker.sections()
    return chunker.done()


class _Chunker:
    """Collects the chunks of one document; `id_counts` counts how often each id was needed."""

    def __init__(self, document: Document, settings: ChunkSettings, count: CountTokens) -> None:
        self.document = document
        self.settings = settings
        self.count = count
        self.limit = settings.limit(document.kind)
        self.id_counts: dict[str, int] = {}
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
                self.warnings.append(f"{node.number} occurs {seen[node.number]} times")
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

    def annex(self, annex: Annex) -> None:
        """Split an annex in a file of its own; the lines with its name are not repeated."""
        text = self.document.text
        if not self.settings.include_annexes:
            self.removed.append(Span(0, len(text), "annex"))
            return
        lines = _plain_lines(text, 0, len(text))
        if not annex.deleted:
            named = lines_of_name([line.text for line in lines], annex)
            lines = [line for i, line in enumerate(lines) if i not in named] or lines
        self._unit(annex.name, annex.title, lines, 0, len(text))

    def _section(self, section: Section) -> None:
        """Split an annex or a supplement: rows and lines below its title."""
        name = re.sub(r"\s+", " ", section.title).strip() or "부칙"
        body = _body_start(self.document.text, section.start, section.end)
        lines = _plain_lines(self.document.text, body, section.end)
        self._unit(annex_name(name) or name, name, lines, section.start, section.end)

    def _unit(self, short: str, name: str, lines: Sequence[Line], start: int, end: int) -> None:
        """Split the lines of an annex or a supplement below its name."""
        text = self.document.text
        header = self._fit_header(f"{self.document.title} {name}")
        unit = f"{self.document.title} {short}"
        deleted = deletion([line.text for line in lines], text[start:end])
        if deleted is not None:
            part = Part("", "", deleted, start, end)
            self._add(f"{self.document.id}/{short}", unit, name, header, part)
            return
        for part in self._table_parts(lines, header, start, end):
            suffix = f"/{part.label}" if part.label else ""
            self._add(f"{self.document.id}/{short}{suffix}", unit, name, header, part)

    def _table_parts(
        self, lines: Sequence[Line], header: str, start: int, end: int
    ) -> Iterator[Part]:
        """Yield the parts of an annex: its text, and its tables in parts of few rows."""
        text, rows = self.document.text, min(self.settings.max_row_tokens, self.limit)
        for run in table_runs(lines, start, end) if rows else ():
            if run.table:
                yield from row_parts(run, header, (rows, self.limit), self.count, text)
                continue
            yield from split_lines(
                run.lines, header, self.limit, self.count, text, run.start, run.end
            )
        if not rows:
            yield from split_lines(lines, header, self.limit, self.count, text, start, end)

    def sections(self) -> None:
        """Split by Markdown headings; the text before the first one has only the title as header.

        Long paragraphs of a manual are split where sentences end according to Kiwi.
        """
        text = self.document.text
        ends = sentence_ends if self.document.kind == "manual" else None
        for path, start, body, end in heading_sections(text):
            if path and _NUMBERED.sub("", path[0]) == self.document.title:
                path = path[1:]
            if not text[body:end].strip():
                if text[start:end].strip():
                    self.removed.append(Span(start, end, "heading"))
                continue
            unit = " > ".join([self.document.title, *path])
            header = self._fit_header(unit)
            lines = _plain_lines(text, body, end)
            for part in split_lines(lines, header, self.limit, self.count, text, start, end, ends):
                where = " > ".join([*path, *([part.label] if part.label else [])])
                base = "/".join([self.document.id, *(p.replace("/", "∕") for p in path)])
                suffix = f"/{part.label}" if part.label else ""
                self._add(base + suffix, unit, where, header, part)

    def _fit_header(self, header: str) -> str:
        """Return the header, shortened to half of the token limit."""
        while self.count(header) > self.limit // 2 and len(header) > 8:
            header = header[: len(header) * 3 // 4]
        return header

    def _add(self, name: str, unit: str, path: str, header: str, part: Part) -> str:
        repeats = self.id_counts[name] = self.id_counts.get(name, 0) + 1
        if repeats > 1:
            name = f"{name}#{repeats}"
        body = f"{part.context}\n{part.text}" if part.context else part.text
        text = f"{header}\n{body}"
        pages, ocr = page_facts(self.document.pages, self.document.text, part.start, part.end)
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
                pages=pages,
                ocr=ocr,
            )
        )
        self.spans.append(Span(part.start, part.end, name))
        return name


def heading_sections(text: str) -> list[tuple[tuple[str, ...], int, int, int]]:
    """Return (headings above, start, start of the body, end) of each Markdown section, in order.

    If levels are skipped (`#`, then `####`), sections nest in the order of their levels. Headings
    inside code fences are text.
    """
    out: list[tuple[tuple[str, ...], int, int, int]] = []
    stack: list[tuple[int, str]] = []
    start = body = offset = 0
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        heading = None if fenced else markdown_heading(line)
        if heading:
            out.append((tuple(t for _, t in stack), start, body, offset))
            level, title = heading
            stack = [(depth, above) for depth, above in stack if depth < level]
            stack.append((level, title))
            start, body = offset, min(offset + len(line) + 1, len(text))
        offset += len(line) + 1
    out.append((tuple(t for _, t in stack), start, body, len(text)))
    return [section for section in out if text[section[1] : section[3]].strip()]


def _body_start(text: str, start: int, end: int) -> int:
    newline = text.find("\n", start, end)
    return newline + 1 if newline >= 0 else end


def _plain_lines(text: str, start: int, end: int) -> list[Line]:
    """Return the lines between two offsets without marks; frames of box characters become rows."""
    lines: list[Line] = []
    offset = start
    for raw in text[start:end].split("\n"):
        if raw.strip():
            clean = strip_amendments(plain_table(raw))[0].strip()
            if clean:
                lines.append(Line(PLAIN, "", clean, offset, offset + len(raw)))
        offset += len(raw) + 1
    return lines
