"""Sources to a corpus: read, cut, clean, and write down what was kept and what was not."""

from __future__ import annotations

import fnmatch
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data import history
from kofinlaw.data.card import card, write_card
from kofinlaw.data.chunking import chunk_document, estimate_tokens
from kofinlaw.data.cleaning import Ledger, clean, mask_article
from kofinlaw.data.contamination import read_protected
from kofinlaw.data.documents import Document, document_id
from kofinlaw.data.files import write_jsonl
from kofinlaw.data.graph import references
from kofinlaw.data.readers import read_file
from kofinlaw.data.records import Article, Chunk
from kofinlaw.data.settings import DataSettings, SourceSettings


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
    reasons = Counter(item.reason for item in ledger.rejected)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return (
        f"rejected: {told}" if told else "add files that a reader knows (.md, .txt, .html, .pdf …)"
    )


def source_files(source: SourceSettings, base: Path) -> Iterator[tuple[Path, str]]:
    """(path, name in records) of each file of a source, in the order of the names.

    Links to folders are not followed, so a folder that links to itself ends. Raises UserError
    where the source does not exist.
    """
    root = base / source.path
    if root.is_file():
        yield root, root.name
        return
    if not root.is_dir():
        raise UserError(
            "no such file or folder", where=source.path, remedy="mend data.sources in the recipe"
        )
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            lower = name.lower()
            if name.startswith(".") or not any(fnmatch.fnmatch(lower, p) for p in source.include):
                continue
            path = Path(folder) / name
            yield path, f"{root.name}/{path.relative_to(root).as_posix()}"


def read_sources(
    settings: DataSettings, base: Path, ledger: Ledger, progress: Progress
) -> list[Document]:
    """The documents of all sources in order; a file that cannot be read is rejected."""
    listed: list[tuple[SourceSettings, Path, str]] = []
    documents: list[Document] = []
    for source in settings.sources:
        root = base / source.path
        if settings.as_of and root.exists() and history.repository(root) and _kept(root):
            documents.extend(_from_history(source, root, settings, ledger, progress))
        else:
            listed += [(source, path, name) for path, name in source_files(source, base)]
    for done, (source, path, name) in enumerate(listed):
        progress("read", done, len(listed), file=name)
        documents.extend(_read(path, source, settings, name, ledger))
    progress("read", len(listed), len(listed))
    return documents


def _read(
    path: Path, source: SourceSettings, settings: DataSettings, name: str, ledger: Ledger
) -> Iterator[Document]:
    """The documents of a file; what cannot be read is rejected with its reason."""
    try:
        for document in read_file(path, source, settings.limits, name=name):
            if not document.text.strip():
                ledger.reject(document.source, "empty", "no text")
                continue
            ledger.warnings.extend(f"{name}: {warning}" for warning in document.warnings)
            yield document
    except UserError as error:
        ledger.reject(name, "unreadable", error.message)
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        ledger.reject(name, "unreadable", f"{type(error).__name__}: {error}")


def _kept(root: Path) -> bool:
    return root.is_dir() and history.tracked(root)


def _from_history(
    source: SourceSettings,
    root: Path,
    settings: DataSettings,
    ledger: Ledger,
    progress: Progress,
) -> Iterator[Document]:
    """The documents of a git clone as they were in force on `as_of`."""
    if settings.as_of is None:
        return
    versions = history.versions_in_force(root, settings.as_of, source.include)
    for done, version in enumerate(versions):
        progress("history", done, file=version.path)
        name = f"{root.name}/{version.path}@{version.commit[:12]}"
        if version.state == "repealed":
            ledger.reject(name, "repealed", f"repealed on {version.day}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(version.path).name
            path.write_bytes(version.data)
            for document in _read(path, source, settings, name, ledger):
                meta = {**document.meta, "commit": version.commit}
                # A text without a date of its own bears its commit's.
                dated = replace(document, meta=meta, as_of=document.as_of or version.day)
                if version.state == "later" and not settings.allow_not_in_force:
                    day = max(dated.as_of, version.day)
                    ledger.reject(name, "not_in_force", _too_late(replace(dated, as_of=day)))
                else:
                    yield dated


def _too_late(document: Document) -> str:
    """`전자금융업무 규정 제1조 is in force from 2026-01-02`."""
    found = re.search(r"제\d+조(?:의\d+)?", document.text) if document.kind != "guideline" else None
    unit = f"{document.title} {found.group(0)}" if found else document.title
    return f"{unit} is in force from {document.as_of}"


def _read(
    path: Path, source: SourceSettings, settings: DataSettings, name: str, ledger: Ledger
) -> Iterator[Document]:
    """The documents of a file; what cannot be read is rejected with its reason."""
    try:
        for document in read_file(path, source, settings.limits, name=name):
            if not document.text.strip():
                ledger.reject(document.source, "empty", "no text")
                continue
            ledger.warnings.extend(f"{name}: {warning}" for warning in document.warnings)
            yield document
    except UserError as error:
        ledger.reject(name, "unreadable", error.message)
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        ledger.reject(name, "unreadable", f"{type(error).__name__}: {error}")


def _kept(root: Path) -> bool:
    return root.is_dir() and history.tracked(root)


def _from_history(
    source: SourceSettings,
    root: Path,
    settings: DataSettings,
    ledger: Ledger,
    progress: Progress,
) -> Iterator[Document]:
    """The documents of a git clone as they were in force on `as_of`."""
    if settings.as_of is None:
        return
    done = 0
    for version in history.versions_in_force(root, settings.as_of, source.include):
        progress("history", done, file=version.path)
        done += 1
        name = f"{root.name}/{version.path}@{version.commit[:12]}"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(version.path).name
            path.write_bytes(version.data)
            for document in _read(path, source, settings, name, ledger):
                meta = {**document.meta, "commit": version.commit}
                yield replace(document, meta=meta, as_of=document.as_of or version.day)


def in_force(documents: list[Document], settings: DataSettings, ledger: Ledger) -> list[Document]:
    """The documents in force on `as_of`, one version of each title: the newest.

    A text of a later day is refused unless `allow_not_in_force`; so is one without a date.
    """
    day = settings.as_of
    kept: list[Document] = []
    for document in documents:
        if day and not settings.allow_not_in_force:
            late = document.as_of > day.isoformat()
            if not document.as_of or late:
                why = _too_late(document) if late else f"{document.title} bears no date"
                ledger.reject(document.source, "not_in_force", why)
                continue
        kept.append(document)
    return _one_version(kept, ledger)


def _one_version(documents: list[Document], ledger: Ledger) -> list[Document]:
    by_title: dict[str, list[Document]] = {}
    for document in documents:
        by_title.setdefault(document_id(document.title), []).append(document)
    out: list[Document] = []
    for versions in by_title.values():
        if versions[0].kind not in ("statute", "rule") or len(versions) == 1:
            out.extend(_numbered(versions))
            continue
        newest = max(versions, key=lambda d: d.as_of)
        for document in versions:
            if document is newest:
                out.append(document)
            elif document.text == newest.text:
                ledger.reject(document.source, "duplicate", f"same text as {newest.source}")
            else:
                ledger.reject(
                    document.source,
                    "superseded",
                    f"{document.title} of {document.as_of or 'no date'}: {newest.source} is of "
                    f"{newest.as_of or 'no date'}",
                )
    return out


def _numbered(documents: list[Document]) -> list[Document]:
    """Documents that share a title get a number, so that ids stay apart."""
    if len(documents) == 1:
        return documents
    return [
        document if place == 0 else replace(document, title=f"{document.title} ({place + 1})")
        for place, document in enumerate(documents)
    ]


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
