"""Sources to a corpus: read, cut, clean, and write down what was kept and what was not.

Texts go from disk to disk: documents as they are read, chunks and articles as they are cut. What
stays in memory grows by some hundred bytes a chunk (ids, band keys, offsets), so that a corpus of
a gigabyte needs less than two.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.chunking import chunk_document, estimate_tokens
from kofinlaw.data.cleaning.clean import Screen, mask_article
from kofinlaw.data.cleaning.contamination import Protected, read_protected
from kofinlaw.data.cleaning.copies import Copies, settle
from kofinlaw.data.corpus_card import Lengths, card, write_card
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.annexes import annex_name, split_unit
from kofinlaw.data.law.graph import Passage, Reference, Shelf, graph
from kofinlaw.data.law.versions import EARLIER, Versions, named_by_day
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.sources import in_force, refuse_protected_sources, restored, survey
from kofinlaw.data.spool import Spool, work_folder
from kofinlaw.files import atomic_write, dumps, read_json_lines, write_jsonl
from kofinlaw.parquet import write_parquet
from kofinlaw.records import Article


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
    `earlier.jsonl`, `rejected.jsonl`, `citations.jsonl`, `duplicates.jsonl` (with
    `settings.parquet` each as Parquet too), `card.md` and `card.json`, each whole or not at all.
    Without `count_tokens`
    lengths are estimated and the card says so. Raises UserError where a source is missing or
    nothing is left.
    """
    refuse_protected_sources(settings, base)
    count = count_tokens or estimate_tokens
    protected = Protected([*protected_texts, *_protected_texts(settings, base)])
    with work_folder(out) as folder, ExitStack() as stack:
        build = _Build(settings, out, folder, count, protected, progress, stack)
        documents = build.read(base)
        build.cut(documents)
        build.leave_copies_out()
        lengths = build.write_chunks()
        earlier = build.write_earlier(lengths)
        articles = build.write_articles()
        edges, resolved = build.write_references()
        log = build.log
        rejects = write_jsonl(out / "rejected.jsonl", log.rejected())
    if settings.parquet:
        write_parquet(out)
    facts = {
        "citations": {"resolved": resolved, "outside the corpus": edges - resolved},
        "personal_data": dict(sorted(log.personal_data.items())),
        "removed_spans": dict(sorted(log.removed_spans.items())),
        "as_of": settings.as_of.isoformat() if settings.as_of else "",
    }
    estimated = count_tokens is None
    write_card(card(documents, lengths, articles, log, facts=facts, estimated=estimated), out)
    if not lengths.chunks:
        raise UserError(
            "no chunk is left", where=str(out / "rejected.jsonl"), remedy=log.why_empty()
        )
    return {
        "documents": len(documents),
        "chunks": lengths.chunks,
        "earlier_chunks": earlier,
        "articles": articles[0],
        "rejected": rejects,
        "card_warnings": len(log.warnings),
        "citations": edges,
        "citations_resolved": resolved,
        "tokens": lengths.total,
        "longest_tokens": lengths.longest,
    }


class _Build:
    """The passes over a corpus under way, and the spools between them."""

    def __init__(
        self,
        settings: DataSettings,
        out: Path,
        folder: Path,
        count: Callable[[str], int],
        protected: Protected,
        progress: Progress,
        stack: ExitStack,
    ) -> None:
        self.settings = settings
        self.out = out
        self.count = count
        self.progress = progress
        self.folder = folder
        self.stack = stack
        self.log = stack.enter_context(RejectLog(folder))
        self.documents = stack.enter_context(Spool(folder / "documents.jsonl"))
        self.chunks = stack.enter_context(Spool(folder / "chunks.jsonl"))
        self.articles = stack.enter_context(Spool(folder / "articles.jsonl"))
        self.copies = Copies(settings, folder)
        stack.callback(self.copies.close)
        limit = settings.chunks.limit
        self.screen = Screen(
            settings, protected, self.log, lambda chunk: count(chunk.text) <= limit(chunk.kind)
        )
        self.removed: dict[int, int] = {}
        self.shelf = Shelf()
        self.annexes: list[Passage] = []

    def read(self, base: Path) -> list[DocumentFacts]:
        """Documents to the disk; the facts of those in force."""
        found = survey(self.settings, base, self.log, self.progress, self.documents)
        known = len(self.log.warnings)
        documents = in_force(found, self.settings, self.log)
        for warning in self.log.warnings[known:]:  # a text left out for another: say so at once
            self.progress(f"warning: {warning}", 0)
        return _some(documents, self.settings, self.log)

    def cut(self, documents: Sequence[DocumentFacts]) -> None:
        """Documents to clean chunks and to articles."""
        self.versions = Versions(documents, self.folder)
        self.stack.callback(self.versions.close)
        for done, facts in enumerate(documents):
            self.progress("chunk", done, len(documents), document=facts.title)
            document = restored(self.documents, facts)
            result = chunk_document(document, self.settings.chunks, self.count)
            keep = self.settings.personal_data == "keep"
            articles = [a if keep else mask_article(a) for a in result.articles]
            if facts.version:
                named = named_by_day(result.chunks, facts.version)
                self.versions.earlier(facts, self.screen.passed(named), articles)
            else:
                passed = list(self.screen.passed(result.chunks))
                self.versions.newest(facts, passed)
                for chunk in passed:
                    self.chunks.append(chunk)
                    self.copies.add(chunk.text)
                self.articles.extend(articles)
            for warning in result.warnings:
                self.log.warn(f"{document.source}: {warning}")
            self.log.removed_spans.update(span.name for span in result.removed)
        self.progress("chunk", len(documents), len(documents))

    def leave_copies_out(self) -> None:
        """Find the chunks that are copies of others and write them off."""
        self.progress("clean", 0, 1)
        with atomic_write(self.out / "duplicates.jsonl") as handle:
            if self.settings.near_duplicates.enabled:
                self.removed = settle(
                    self.copies.pairs(),
                    self.chunks,
                    self.log,
                    lambda pair: handle.write(dumps(pair) + "\n"),
                )
        self.progress("clean", 1, 1)

    def write_chunks(self) -> Lengths:
        """The chunks that stay, with their lengths counted."""
        lengths = Lengths()
        with atomic_write(self.out / "chunks.jsonl") as handle:
            for place, chunk in enumerate(self.chunks):
                if place in self.removed:
                    self.screen.gone.add(chunk["id"])
                    continue
                chunk["since"] = self.versions.since.get(chunk["id"], "")
                handle.write(dumps(chunk) + "\n")
                lengths.add(chunk["document_id"], self.count(chunk["text"]))
                self._shelve_annex(chunk)
        return lengths

    def write_earlier(self, lengths: Lengths) -> int:
        """What only earlier versions of acts hold; returns how many chunks that is."""

        def counted() -> Iterator[dict[str, Any]]:
            for chunk in self.versions.chunks():
                lengths.per_document[chunk["document_id"]] += 1
                yield chunk

        return write_jsonl(self.out / EARLIER, counted())

    def _shelve_annex(self, chunk: dict[str, Any]) -> None:
        if chunk["kind"] not in ("statute", "rule"):
            return
        unit, (title, name) = chunk["unit"], split_unit(chunk["unit"])
        if title != chunk["title"] or not annex_name(name):
            return
        if not self.shelf.chunk_ids(unit):
            header = chunk["text"].partition("\n")[0]
            self.annexes.append(Passage(unit, title, "", header, False))
        self.shelf.hold(unit, chunk["id"])

    def write_articles(self) -> tuple[int, int]:
        """Articles that name only the chunks that stayed; returns (standing, deleted).

        An article all of whose chunks went goes with them; a deleted one stays as a mark.
        """
        standing = deleted = 0
        with atomic_write(self.out / "articles.jsonl") as handle:
            for article in self.articles:
                ids = [name for name in article["chunk_ids"] if name not in self.screen.gone]
                if not ids and not article["deleted"]:
                    continue
                article["chunk_ids"] = ids
                handle.write(dumps(article) + "\n")
                self.shelf.add(article["title"], article["number"], article["id"], ids)
                deleted += article["deleted"]
                standing += not article["deleted"]
        return standing, deleted

    def write_references(self) -> tuple[int, int]:
        """The references of articles and annexes' titles; returns (all, those resolved).

        One to an article that only an earlier version has leads to its text there.
        """
        resolved = 0
        for unit, ids in self.versions.latest():
            if not self.shelf.chunk_ids(unit):
                self.shelf.hold(unit, *ids)

        def edges() -> Iterator[Reference]:
            nonlocal resolved
            records = read_json_lines(self.out / "articles.jsonl")
            articles = (Passage.of(record) for _, record in records)
            passages = chain(articles, self.annexes, self.versions.passages())
            for edge in graph(passages, self.shelf):
                resolved += edge.resolved
                yield edge

        return write_jsonl(self.out / "citations.jsonl", edges()), resolved


def document_facts(settings: DataSettings, *, base: Path) -> list[tuple[str, str, str]]:
    """(title, as_of, licence) of each document that the settings would read, without cutting any.

    Raises UserError where a source is missing or nothing is in force on `as_of`.
    """
    log = RejectLog()
    found = in_force(survey(settings, base, log, silent), settings, log)
    documents = _some(found, settings, log)
    return [(document.title, document.as_of, document.license) for document in documents]


def build_articles(settings: DataSettings, *, base: Path) -> list[Article]:
    """The articles of the sources alone, with nothing cleaned or written (for inspection)."""
    log = RejectLog()
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder) / "documents.jsonl") as spool:
        found = in_force(survey(settings, base, log, silent, spool), settings, log)
        return [
            article
            for facts in found
            if not facts.version
            for article in chunk_document(restored(spool, facts), settings.chunks).articles
        ]


def _some(
    documents: list[DocumentFacts], settings: DataSettings, log: RejectLog
) -> list[DocumentFacts]:
    """The documents; raises UserError where there is none."""
    if not documents:
        raise UserError(
            "no document could be read",
            where=", ".join(source.path for source in settings.sources),
            remedy=log.why_empty(),
        )
    return documents


def _protected_texts(settings: DataSettings, base: Path) -> list[str]:
    return [text for name in settings.protected for text in read_protected(base / name)]
