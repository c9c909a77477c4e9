"""Sources to a corpus: read, cut, clean, and write down what was kept and what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.card import card, write_card
from kofinlaw.data.chunking import chunk_document, estimate_tokens
from kofinlaw.data.cleaning import Ledger, clean, mask_article
from kofinlaw.data.contamination import read_protected
from kofinlaw.data.documents import Document
from kofinlaw.data.files import write_jsonl
from kofinlaw.data.graph import references
from kofinlaw.data.records import Article, Chunk
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.sources import in_force, read_sources, refuse_protected_sources


def build_corpus(
    settings: DataSettings,
    out: Path,
    *,
    base: Path,
    count_tokens: Callable[[str], int] | None = None,
    protected_texts: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Read the sources and write the corpus into `out`; returns its counts.

    Source paths are relative to `base`. Writes `chunks.jsonl`, `articles.jsonl`,
    `rejected.jsonl`, `citations.jsonl`, `card.md` and `card.json`, each whole or not at all.
    Without `count_tokens` lengths are estimated and the card says so. Raises UserError where a
    source is missing or nothing is left.
    """
    out.mkdir(parents=True, exist_ok=True)
    refuse_protected_sources(settings, base)
    ledger = Ledger()
    documents = read_sources(settings, base, ledger, progress)
    documents = in_force(documents, settings, ledger)
    if not documents:
        raise UserError(
            "no document could be read",
            where=", ".join(source.path for source in settings.sources),
            remedy=_why_empty(ledger),
        )
    count = count_tokens or estimate_tokens
    chunks, articles = cut(documents, settings, count, ledger, progress)
    protected = [*protected_texts, *_protected_texts(settings, base)]
    chunks = clean(chunks, settings, protected, ledger, progress, _within(settings, count))
    articles = _linked(articles, chunks, settings)
    edges = list(references(articles, chunks))
    write_jsonl(out / "chunks.jsonl", chunks)
    write_jsonl(out / "articles.jsonl", articles)
    write_jsonl(out / "citations.jsonl", edges)
    write_jsonl(out / "duplicates.jsonl", ledger.duplicates)
    write_jsonl(out / "rejected.jsonl", ledger.rejected)
    resolved = sum(1 for edge in edges if edge.resolved)
    facts = {
        "citations": {"resolved": resolved, "outside the corpus": len(edges) - resolved},
        "personal_data": dict(sorted(ledger.personal_data.items())),
        "removed_spans": dict(sorted(ledger.removed_spans.items())),
        "as_of": settings.as_of.isoformat() if settings.as_of else "",
    }
    figures = card(
        documents,
        chunks,
        articles,
        ledger.rejected,
        facts=facts,
        count_tokens=count,
        estimated=count_tokens is None,
        warnings=ledger.warnings,
    )
    write_card(figures, out)
    if not chunks:
        raise UserError(
            "no chunk is left", where=str(out / "rejected.jsonl"), remedy=_why_empty(ledger)
        )
    return {
        "documents": len(documents),
        "chunks": len(chunks),
        "articles": figures["articles"],
        "rejected": len(ledger.rejected),
        "citations": len(edges),
        "citations_resolved": resolved,
        "tokens": figures["tokens"]["total"],
        "longest_tokens": figures["tokens"]["longest"],
    }


def document_facts(settings: DataSettings, *, base: Path) -> list[tuple[str, str, str]]:
    """(title, as_of, licence) of each document that the settings would read, without cutting any.

    Raises UserError where a source is missing or nothing is in force on `as_of`.
    """
    ledger = Ledger()
    documents = in_force(read_sources(settings, base, ledger, silent), settings, ledger)
    if not documents:
        raise UserError(
            "no document could be read",
            where=", ".join(source.path for source in settings.sources),
            remedy=_why_empty(ledger),
        )
    return [(document.title, document.as_of, document.license) for document in documents]


def build_articles(settings: DataSettings, *, base: Path) -> list[Article]:
    """The articles of the sources alone, with nothing cleaned or written (for inspection)."""
    ledger = Ledger()
    documents = in_force(read_sources(settings, base, ledger, silent), settings, ledger)
    return cut(documents, settings, estimate_tokens, ledger, silent)[1]


def _within(settings: DataSettings, count: Callable[[str], int]) -> Callable[[Chunk], bool]:
    return lambda chunk: count(chunk.text) <= settings.chunks.limit(chunk.kind)


def _protected_texts(settings: DataSettings, base: Path) -> list[str]:
    return [text for name in settings.protected for text in read_protected(base / name)]


def _linked(
    articles: Sequence[Article], chunks: Sequence[Chunk], settings: DataSettings
) -> list[Article]:
    """Articles that name only the chunks that stayed, masked as the chunks are.

    An article all of whose chunks were rejected goes with them; a deleted one stays as a mark.
    """
    left = {chunk.id for chunk in chunks}
    out = []
    for article in articles:
        ids = tuple(name for name in article.chunk_ids if name in left)
        if not ids and not article.deleted:
            continue
        kept = replace(article, chunk_ids=ids)
        out.append(kept if settings.personal_data == "keep" else mask_article(kept))
    return out


def _why_empty(ledger: Ledger) -> str:
    """What was rejected and why, the first three by name."""
    if not ledger.rejected:
        return "add files that a reader knows (.md, .html, .pdf …)"
    reasons = Counter(item.reason for item in ledger.rejected)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    named = "; ".join(item.detail for item in ledger.rejected[:3])
    return f"rejected: {told} ({named})"


def cut(
    documents: Sequence[Document],
    settings: DataSettings,
    count_tokens: Callable[[str], int],
    ledger: Ledger,
    progress: Progress,
) -> tuple[list[Chunk], list[Article]]:
    """Chunks and articles of all documents, in order."""
    chunks: list[Chunk] = []
    articles: list[Article] = []
    for done, document in enumerate(documents):
        progress("chunk", done, len(documents), document=document.title)
        result = chunk_document(document, settings.chunks, count_tokens)
        chunks.extend(result.chunks)
        articles.extend(result.articles)
        ledger.warnings.extend(f"{document.source}: {warning}" for warning in result.warnings)
        for span in result.removed:
            ledger.removed_spans[span.name] += 1
    progress("chunk", len(documents), len(documents))
    return chunks, articles
