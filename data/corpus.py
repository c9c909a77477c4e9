"""Build a corpus from source files: read, split, clean, and record what was kept and rejected.

Texts go from disk to disk: documents when they are read, chunks and articles when they are split.
Memory use grows by a few hundred bytes a chunk (ids, band keys, offsets), so a corpus of one
gigabyte needs less than two gigabytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.chunking import chunk_document, estimate_tokens
from kofinlaw.data.cleaning.chunk_filter import ChunkFilter, mask_article
from kofinlaw.data.cleaning.contamination import ProtectedTexts, read_protected
from kofinlaw.data.cleaning.copies import CopyFinder, reject_copies
from kofinlaw.data.corpus_card import ArticleCounts, Lengths, corpus_card, write_card
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.annexes import annex_name, split_unit
from kofinlaw.data.law.graph import ChunkLookup, Passage, Reference, citation_graph
from kofinlaw.data.law.versions import EARLIER, Versions, with_version_ids
from kofinlaw.data.readers.formats import Reader
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.sources import in_force, refuse_protected_sources, restored, survey
from kofinlaw.data.splitting import CountTokens
from kofinlaw.data.spool import Spool, work_folder
from kofinlaw.files import atomic_write, dumps, read_json_lines, write_jsonl
from kofinlaw.parquet import write_parquet
from kofinlaw.records import Article


@dataclass(frozen=True, slots=True)
class CorpusCounts:
    """The counts of a corpus: records in its files, and lengths of its chunks in tokens.

    `chunks`, `tokens` and `longest_tokens` are about `chunks.jsonl`, `earlier_chunks` about
    `earlier.jsonl`. `articles` are those that are not deleted.
    """

    documents: int
    chunks: int
    earlier_chunks: int
    articles: int
    rejected: int
    card_warnings: int
    citations: int
    citations_resolved: int
    tokens: int
    longest_tokens: int

    def to_record(self) -> dict[str, object]:
        """The counts by name."""
        return asdict(self)


def build_corpus(
    settings: DataSettings,
    out: Path,
    *,
    base: Path,
    count_tokens: CountTokens | None = None,
    protected_texts: Sequence[str] = (),
    extra_readers: Mapping[str, Reader] | None = None,
    progress: Progress = silent,
) -> CorpusCounts:
    """Read the sources and write the corpus into the folder `out`.

    Writes `chunks.jsonl`, `articles.jsonl`, `earlier.jsonl`, `rejected.jsonl`, `citations.jsonl`,
    `duplicates.jsonl` (with `settings.parquet` each one as Parquet too), `card.md` and
    `card.json`. Each file is written atomically.

    Args:
        settings: Which documents are read, and how they are split and cleaned.
        out: The folder of the corpus.
        base: The folder to which the paths of the sources are relative.
        count_tokens: Number of tokens of a text. Without it lengths are estimated, and the card
            says so.
        protected_texts: Texts that must not appear in the corpus, in addition to the files in
            `settings.protected`.
        extra_readers: Readers of your own by file suffix (`.eml`), see `read_documents`. The
            sources must include the suffix: `include: ["*.eml"]`.
        progress: Receives the phases `read`, `history`, `chunk` and `clean`.

    Raises:
        UserError: A source is missing or is a protected file, the disk is full, or no document or
            chunk is left.
    """
    refuse_protected_sources(settings, base)
    protected = ProtectedTexts([*protected_texts, *_protected_texts(settings, base)])
    with work_folder(out) as folder, ExitStack() as stack:
        log = stack.enter_context(RejectLog(folder))
        spool = stack.enter_context(Spool(folder / "documents.jsonl"))
        documents = _read_documents(settings, base, log, progress, spool, extra_readers)
        count = count_tokens or estimate_tokens
        build = _Build(settings, folder, count, protected, documents, log, stack)
        build.split(spool, progress)
        build.reject_copies(out, progress)
        lengths = build.write_chunks(out)
        earlier = build.write_earlier(out, lengths)
        articles = build.write_articles(out)
        references, resolved = build.write_references(out)
        rejected = write_jsonl(out / "rejected.jsonl", log.rejected())
    if settings.parquet:
        write_parquet(out)
    facts = {
        "citations": {"resolved": resolved, "outside the corpus": references - resolved},
        "personal_data": dict(sorted(log.personal_data.items())),
        "removed_spans": dict(sorted(log.removed_spans.items())),
        "as_of": settings.as_of.isoformat() if settings.as_of else "",
    }
    estimated = count_tokens is None
    card = corpus_card(documents, lengths, articles, log, facts=facts, estimated=estimated)
    write_card(card, out)
    if not lengths.chunks:
        raise UserError(
            "no chunk is left", where=str(out / "rejected.jsonl"), remedy=log.why_empty()
        )
    return CorpusCounts(
        documents=len(documents),
        chunks=lengths.chunks,
        earlier_chunks=earlier,
        articles=articles.valid,
        rejected=rejected,
        card_warnings=len(log.warnings),
        citations=references,
        citations_resolved=resolved,
        tokens=lengths.total,
        longest_tokens=lengths.longest,
    )


def _read_documents(
    settings: DataSettings,
    base: Path,
    log: RejectLog,
    progress: Progress,
    spool: Spool,
    extra_readers: Mapping[str, Reader] | None,
) -> list[DocumentFacts]:
    """Store the documents in the spool; returns the facts of those in force."""
    found = survey(settings, base, log, progress, spool, extra_readers)
    known = len(log.warnings)
    documents = in_force(found, settings, log)
    for warning in log.warnings[known:]:  # two texts of one day: tell the user at once
        progress(f"warning: {warning}", 0)
    return _at_least_one(documents, settings, log)


class _Build:
    """The state of one build: what is on disk, and the ids of what is kept."""

    def __init__(
        self,
        settings: DataSettings,
        folder: Path,
        count: CountTokens,
        protected: ProtectedTexts,
        documents: Sequence[DocumentFacts],
        log: RejectLog,
        stack: ExitStack,
    ) -> None:
        self.settings = settings
        self.count = count
        self.documents = documents
        self.log = log
        self.chunks = stack.enter_context(Spool(folder / "chunks.jsonl"))
        self.articles = stack.enter_context(Spool(folder / "articles.jsonl"))
        self.copies = CopyFinder(settings, folder)
        stack.callback(self.copies.close)
        self.versions = Versions(documents, folder)
        stack.callback(self.versions.close)
        limit = settings.chunks.limit
        self.filter = ChunkFilter(
            settings, protected, log, lambda chunk: count(chunk.text) <= limit(chunk.kind)
        )
        self.copy_of: dict[int, int] = {}
        self.lookup = ChunkLookup()
        self.annexes: list[Passage] = []

    def split(self, spool: Spool, progress: Progress) -> None:
        """Split the documents into articles and clean chunks."""
        for done, facts in enumerate(self.documents):
            progress("chunk", done, len(self.documents), document=facts.title)
            document = restored(spool, facts)
            result = chunk_document(document, self.settings.chunks, self.count)
            keep = self.settings.personal_data == "keep"
            articles = [a if keep else mask_article(a) for a in result.articles]
            if facts.version:
                renamed = with_version_ids(result.chunks, facts.version)
                self.versions.add_earlier(facts, self.filter.kept(renamed), articles)
            else:
                kept = list(self.filter.kept(result.chunks))
                self.versions.add_newest(facts, kept)
                for chunk in kept:
                    self.chunks.append(chunk)
                    self.copies.add(chunk.text)
                self.articles.extend(articles)
            for warning in result.warnings:
                self.log.warn(f"{document.source}: {warning}")
            self.log.removed_spans.update(span.name for span in result.removed)
        progress("chunk", len(self.documents), len(self.documents))

    def reject_copies(self, out: Path, progress: Progress) -> None:
        """Find the chunks that are copies of others and reject them."""
        progress("clean", 0, 1)
        with atomic_write(out / "duplicates.jsonl") as handle:
            if self.settings.near_duplicates.enabled:
                self.copy_of = reject_copies(
                    self.copies.pairs(),
                    self.chunks,
                    self.log,
                    lambda pair: handle.write(dumps(pair) + "\n"),
                )
        progress("clean", 1, 1)

    def write_chunks(self, out: Path) -> Lengths:
        """Write the chunks that are not copies; returns their lengths."""
        lengths = Lengths()
        with atomic_write(out / "chunks.jsonl") as handle:
            for row, chunk in enumerate(self.chunks):
                if row in self.copy_of:
                    self.filter.rejected_ids.add(chunk["id"])
                    continue
                chunk["since"] = self.versions.since.get(chunk["id"], "")
                handle.write(dumps(chunk) + "\n")
                lengths.add(chunk["document_id"], self.count(chunk["text"]))
                self._add_annex(chunk)
        return lengths

    def write_earlier(self, out: Path, lengths: Lengths) -> int:
        """Write what only earlier versions of acts contain; returns the number of chunks."""

        def counted() -> Iterator[dict[str, Any]]:
            for chunk in self.versions.earlier_chunks():
                lengths.per_document[chunk["document_id"]] += 1
                yield chunk

        return write_jsonl(out / EARLIER, counted())

    def _add_annex(self, chunk: dict[str, Any]) -> None:
        """Register a chunk of an annex, so that references to the annex find it."""
        if chunk["kind"] not in ("statute", "rule"):
            return
        unit, (title, name) = chunk["unit"], split_unit(chunk["unit"])
        if title != chunk["title"] or not annex_name(name):
            return
        if not self.lookup.chunk_ids(unit):
            header = chunk["text"].partition("\n")[0]
            self.annexes.append(Passage(unit, title, "", header, False))
        self.lookup.add_chunks(unit, chunk["id"])

    def write_articles(self, out: Path) -> ArticleCounts:
        """Write the articles with the ids of the chunks that were kept.

        An article without any chunk left is not written. A deleted article is, as a marker.
        """
        valid = deleted = 0
        rejected = self.filter.rejected_ids
        with atomic_write(out / "articles.jsonl") as handle:
            for article in self.articles:
                ids = [name for name in article["chunk_ids"] if name not in rejected]
                if not ids and not article["deleted"]:
                    continue
                article["chunk_ids"] = ids
                handle.write(dumps(article) + "\n")
                self.lookup.add(article["title"], article["number"], article["id"], ids)
                deleted += article["deleted"]
                valid += not article["deleted"]
        return ArticleCounts(valid, deleted)

    def write_references(self, out: Path) -> tuple[int, int]:
        """Write the references of articles and of annexes' titles; returns (all, resolved).

        A reference to an article that only an earlier version has leads to that version's text.
        """
        resolved = 0
        for unit, ids in self.versions.latest_units():
            if not self.lookup.chunk_ids(unit):
                self.lookup.add_chunks(unit, *ids)

        def references() -> Iterator[Reference]:
            nonlocal resolved
            records = read_json_lines(out / "articles.jsonl")
            articles = (Passage.of(record) for _, record in records)
            passages = chain(articles, self.annexes, self.versions.earlier_passages())
            for reference in citation_graph(passages, self.lookup):
                resolved += reference.resolved
                yield reference

        return write_jsonl(out / "citations.jsonl", references()), resolved


def list_documents(settings: DataSettings, *, base: Path) -> list[tuple[str, str, str]]:
    """(title, ISO day, licence) of each document that the settings select; nothing is split.

    Raises UserError if a source is missing or no document is in force on `settings.as_of`.
    """
    log = RejectLog()
    found = in_force(survey(settings, base, log, silent), settings, log)
    documents = _at_least_one(found, settings, log)
    return [(document.title, document.as_of, document.license) for document in documents]


def parse_articles(settings: DataSettings, *, base: Path) -> list[Article]:
    """The articles of the sources, newest versions only; nothing is cleaned or written.

    Raises UserError if a source is missing.
    """
    log = RejectLog()
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder) / "documents.jsonl") as spool:
        found = in_force(survey(settings, base, log, silent, spool), settings, log)
        return [
            article
            for facts in found
            if not facts.version
            for article in chunk_document(restored(spool, facts), settings.chunks).articles
        ]


def _at_least_one(
    documents: list[DocumentFacts], settings: DataSettings, log: RejectLog
) -> list[DocumentFacts]:
    """The documents; raises UserError if there is none."""
    if not documents:
        raise UserError(
            "no document could be read",
            where=", ".join(source.path for source in settings.sources),
            remedy=log.why_empty(),
        )
    return documents


def _protected_texts(settings: DataSettings, base: Path) -> list[str]:
    return [text for name in settings.protected for text in read_protected(base / name)]
