"""`kofinlaw data inspect`: a corpus, or one unit of it, in the terminal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.law.versions import read_chunks, validity_text
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk, Provision


def inspect_lines(folder: Path, find: str = "", limit: int = 5) -> list[str]:
    """Documents with their counts; with `find`, the trees and chunks of matching units.

    Raises UserError where the folder is no data stage.
    """
    folder = folder / "data" if (folder / "data" / "chunks.jsonl").is_file() else folder
    if not (folder / "chunks.jsonl").is_file():
        raise UserError(
            "no chunks here",
            where=str(folder),
            remedy="name a data stage, for example runs/quickstart/data",
        )
    chunks = list(read_chunks(folder / "chunks.jsonl"))
    articles = {a.id: a for a in read_jsonl(folder / "articles.jsonl", Article)}
    if not find:
        return _documents(chunks, articles)
    words = find.split()
    units = dict.fromkeys(
        c.unit for c in chunks if all(word in c.unit or word in c.text for word in words)
    )
    # The unit of that very name first, then names that hold the words, then texts that do.
    ranked = sorted(units, key=lambda u: (u != find, not all(word in u for word in words)))
    lines: list[str] = []
    for unit in ranked[:limit]:
        lines += _unit(unit, [c for c in chunks if c.unit == unit], articles.get(unit))
    more = len(units) - limit
    if more > 0:
        lines.append(f"… {more} more; --limit {len(units)} shows all")
    return lines or [f"nothing contains {find!r}"]


def _documents(chunks: list[Chunk], articles: dict[str, Article]) -> list[str]:
    counts: Counter[str] = Counter(chunk.title for chunk in chunks)
    per_document: Counter[str] = Counter(article.title for article in articles.values())
    lines = [f"{len(counts)} documents, {len(articles)} articles, {len(chunks)} chunks", ""]
    first = {chunk.title: chunk for chunk in reversed(chunks)}
    for title, count in counts.items():
        chunk = first[title]
        lines.append(
            f"  {title}  ({chunk.kind}, as of {chunk.as_of or 'unknown'}, "
            f"{chunk.license or 'no licence named'}): "
            f"{per_document[title]} articles, {count} chunks"
        )
    return [*lines, "", "look into one: kofinlaw data inspect FOLDER '제9조'"]


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
