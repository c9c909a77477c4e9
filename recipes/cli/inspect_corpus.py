"""Describe documents before a run, or a corpus and its units (`kofinlaw data inspect`)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.inspection import Inspection, SampleChunk, SeenDocument
from kofinlaw.data.law.versions import read_chunks, validity_text
from kofinlaw.data.source_files import unread_lines
from kofinlaw.files import read_jsonl
from kofinlaw.recipes.cli.console import command_line, short_path
from kofinlaw.records import Article, Chunk, Provision
from kofinlaw.tolerant_files import read_json

__all__ = ["document_lines", "holds_corpus", "inspect_lines"]

_SAMPLE_LINES = 12  # of a chunk that is shown
_MAX_DOCUMENTS = 200
_MAX_WARNINGS = 3  # of a document


def holds_corpus(folder: Path) -> bool:
    """Return whether a folder is a run with a data stage, or a data stage."""
    return any((place / "chunks.jsonl").is_file() for place in (folder, folder / "data"))


def document_lines(found: Inspection, find: str = "", limit: int = 1) -> list[str]:
    """Return lines about documents that no run has read yet.

    Args:
        found: The documents.
        find: The words that the shown chunks hold; empty: the first chunks are shown.
        limit: Number of documents of which chunks are shown.
    """
    lines = unread_lines(found.files, found.unread)
    lines.append("")
    for one in found.documents[:_MAX_DOCUMENTS]:
        lines += _document(one)
    more = len(found.documents) - _MAX_DOCUMENTS
    lines += [f"… {more} more documents; --json lists all of them", ""] if more > 0 else []
    lines += [f"warning: {warning}" for warning in found.warnings]
    shown = [one for one in found.documents if one.samples][:limit]
    for one in shown:
        for sample in one.samples:
            lines += _sample(sample, one.file)
    if find and not shown:
        lines += [f"no chunk contains {find!r}", ""]
    totals = (
        _count(len({one.title for one in found.documents}), "title"),
        _count(sum(one.articles for one in found.documents), "article"),
        _count(sum(one.annexes for one in found.documents), "annex", "annexes"),
        _count(sum(one.tables for one in found.documents), "table"),
        _count(sum(one.chunks for one in found.documents), "chunk"),
        f"about {sum(one.tokens for one in found.documents):,} tokens",
    )
    lines.append(f"in total: {', '.join(totals)}")
    lines.append("a run also removes copies of passages across documents, and lists them")
    return lines


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _document(one: SeenDocument) -> list[str]:
    day = f"in force from {one.as_of} ({one.day_from})" if one.as_of else "day unknown"
    facts = [one.format, one.encoding, one.kind, day, f"licence {one.license}"]
    if one.version:
        facts.append("an earlier version")
    if one.annex_of:
        facts.append(f"annex of {one.annex_of}")
    counts = []
    if one.articles:
        ends = dict.fromkeys((one.first_article, one.last_article))
        counts.append(f"{_count(one.articles, 'article')} ({'–'.join(ends)})")
    counts += [_count(one.pages, "page")] if one.pages else []
    counts += [_count(one.annexes, "annex", "annexes")] if one.annexes else []
    counts += [_count(one.tables, "table")] if one.tables else []
    counts.append(_count(one.chunks, "chunk"))
    counts += [f"the longest about {one.longest} tokens"] if one.chunks else []
    lines = [f"{one.title}   {one.file}", f"  {' · '.join(filter(None, facts))}"]
    lines.append(f"  {', '.join(counts)}")
    lines += [
        f"  left out: {_count(count, 'chunk')} ({why})" for why, count in one.left_out.items()
    ]
    lines += [f"  warning: {warning}" for warning in one.warnings[:_MAX_WARNINGS]]
    more = len(one.warnings) - _MAX_WARNINGS
    return [*lines, *([f"  … {more} more warnings"] if more > 0 else []), ""]


def _sample(sample: SampleChunk, file: str) -> list[str]:
    pages = f", page {sample.pages}" if sample.pages else ""
    text = sample.text.splitlines()
    cut = ["  │ …"] if len(text) > _SAMPLE_LINES else []
    return [
        f"a chunk of {file}{pages}, about {sample.tokens} tokens",
        f"  {sample.path or sample.unit}",
        *[f"  │ {line}" for line in text[:_SAMPLE_LINES]],
        *cut,
        "",
    ]


def inspect_lines(folder: Path, find: str = "", limit: int = 5) -> list[str]:
    """List the documents with counts, or the structure and chunks of the units that match `find`.

    Args:
        folder: A run's folder, or its data stage.
        find: Words that must all be in a unit's name or text; empty lists the documents.
        limit: Number of units to show.

    Raises UserError if the folder holds no chunks.
    """
    folder = folder / "data" if (folder / "data" / "chunks.jsonl").is_file() else folder
    if not (folder / "chunks.jsonl").is_file():
        raise UserError(
            "there are no chunks in this folder",
            where=str(folder),
            remedy="name a run or its data stage, for example runs/quickstart/data",
        )
    chunks = list(read_chunks(folder / "chunks.jsonl"))
    articles = {a.id: a for a in read_jsonl(folder / "articles.jsonl", Article)}
    if not find:
        return _documents(folder, chunks, articles)
    words = find.split()
    units = dict.fromkeys(
        c.unit for c in chunks if all(word in c.unit or word in c.text for word in words)
    )
    # First the unit with exactly this name, then names with the words, then texts with them.
    ranked = sorted(units, key=lambda u: (u != find, not all(word in u for word in words)))
    lines: list[str] = []
    for unit in ranked[:limit]:
        lines += _unit(unit, [c for c in chunks if c.unit == unit], articles.get(unit))
    more = len(units) - limit
    if more > 0:
        lines.append(f"… {more} more; --limit {len(units)} shows all of them")
    return lines or [f"no unit contains {find!r}"]


def _documents(folder: Path, chunks: list[Chunk], articles: dict[str, Article]) -> list[str]:
    counts: Counter[str] = Counter(chunk.title for chunk in chunks)
    per_document: Counter[str] = Counter(article.title for article in articles.values())
    lines = [f"{len(counts)} documents, {len(articles)} articles, {len(chunks)} chunks", ""]
    first = {chunk.title: chunk for chunk in reversed(chunks)}
    sources = (read_json(folder / "card.json") or {}).get("sources", [])
    origins = {row["source"]: row.get("day_from") for row in sources}
    for title, count in counts.items():
        chunk = first[title]
        lines.append(
            f"  {title}  ({chunk.kind}, {_day(chunk, origins)}, "
            f"{chunk.license or 'no licence named'}): "
            f"{per_document[title]} articles, {count} chunks"
        )
    look = command_line("data", "inspect", short_path(folder), "제9조")
    return [*lines, "", f"show one unit: {look}"]


def _day(chunk: Chunk, origins: dict[str, str | None]) -> str:
    """Return `as of 2024-09-15 (front matter: 시행일자)`, or that the day is unknown."""
    if not chunk.as_of:
        return "day unknown"
    origin = origins.get(chunk.source)
    return f"as of {chunk.as_of} ({origin})" if origin else f"as of {chunk.as_of}"


def _unit(unit: str, chunks: list[Chunk], article: Article | None) -> list[str]:
    lines = [unit]
    if article:
        lines.append(f"  {article.number}({article.heading})  {article.path}")
        if article.lead:
            lines.append(f"    {article.lead}")
        for provision in article.provisions:
            lines += _tree(provision, 2)
    for chunk in chunks:
        days = validity_text(chunk.since, chunk.until)
        lines += [
            f"  ── chunk {chunk.id}  {days}".rstrip(),
            *[f"  │ {line}" for line in chunk.text.splitlines()],
        ]
    return [*lines, ""]


def _tree(provision: Provision, depth: int) -> list[str]:
    lines = [f"{'  ' * depth}{provision.label}  {provision.text}"]
    for child in provision.children:
        lines += _tree(child, depth + 1)
    return lines
