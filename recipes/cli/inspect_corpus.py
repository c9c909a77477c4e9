"""List the documents of a corpus, or show some of its units (`kofinlaw data inspect`)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.law.versions import read_chunks, validity_text
from kofinlaw.files import read_jsonl
from kofinlaw.recipes.cli.console import command_line, short_path
from kofinlaw.records import Article, Chunk, Provision
from kofinlaw.tolerant_files import read_json

__all__ = ["inspect_lines"]


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
