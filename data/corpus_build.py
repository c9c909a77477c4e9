"""Run the steps of a corpus build: split, filter, remove copies, and write the records."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from kofinlaw import Progress
from kofinlaw.cluster.jobs import HERE, Workers
from kofinlaw.data.chunking import Chunked
from kofinlaw.data.cleaning.chunk_filter import ChunkFilter
from kofinlaw.data.cleaning.contamination import ProtectedTexts
from kofinlaw.data.cleaning.copies import CopyFinder, reject_copies
from kofinlaw.data.corpus_card import ArticleCounts, Lengths
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.jobs.splitting import SplitDocument, split_documents
from kofinlaw.data.law.annexes import annex_name, split_unit
from kofinlaw.data.law.former_names import NAMES, FormerName, NameCollector, name_key
from kofinlaw.data.law.graph import ChunkLookup, Passage, Reference, citation_graph
from kofinlaw.data.law.links.edges import EDGES, Link, Rule, typed_edges
from kofinlaw.data.law.versions import EARLIER, VERSIONED, Versions, with_version_ids
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.sources import restore_document
from kofinlaw.data.splitting import CountTokens
from kofinlaw.data.spool import Spool
from kofinlaw.files import atomic_write, dumps, read_json_lines, write_json, write_jsonl
from kofinlaw.records import Chunk

__all__ = ["CorpusBuild"]


class CorpusBuild:
    """The steps of a build in their order, and the temporary records between them.

    Args:
        settings: How documents are split and cleaned.
        folder: The folder of the temporary records.
        documents: The documents to build the corpus of.
        log: Receives the rejected chunks, and warnings.
        count: The number of tokens of a text.
        protected: The texts that must not appear in the corpus.
    """

    def __init__(
        self,
        settings: DataSettings,
        folder: Path,
        documents: Sequence[DocumentFacts],
        log: RejectLog,
        count: CountTokens,
        protected: ProtectedTexts,
    ) -> None:
        self._settings = settings
        self._count = count
        self._documents = documents
        self._log = log
        self._stack = ExitStack()
        self._chunks = self._stack.enter_context(Spool(folder / "chunks.jsonl"))
        self._articles = self._stack.enter_context(Spool(folder / "articles.jsonl"))
        self._copies = CopyFinder(settings, folder)
        self._stack.callback(self._copies.close)
        self._versions = Versions(documents, folder)
        self._stack.callback(self._versions.close)
        limit = settings.chunks.limit
        self._filter = ChunkFilter(
            settings, protected, log, lambda chunk: count(chunk.text) <= limit(chunk.kind)
        )
        self._copy_of: dict[int, int] = {}
        self._lookup = ChunkLookup()
        self._annexes: list[Passage] = []
        self._names = NameCollector()
        self._former: list[FormerName] = []

    def __enter__(self) -> CorpusBuild:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def split(self, spool: Spool, progress: Progress, workers: Workers = HERE) -> None:
        """Split the documents into articles and clean chunks; `workers` split them."""
        texts: deque[str] = deque()  # of the documents that are given and not taken yet

        def given() -> Iterator[list[Document]]:
            for facts in self._documents:
                documents = [restore_document(spool, one) for one in (facts, *facts.parts)]
                texts.append(documents[0].text)
                yield documents

        found = split_documents(given(), self._settings, self._count, workers)
        for done, (facts, split) in enumerate(zip(self._documents, found, strict=True)):
            progress("chunk", done, len(self._documents), document=facts.title)
            text = texts.popleft()
            if split.result is None:
                why = f"it cannot be split: {split.fault}"
                self._log.reject("read", facts.source, "failed", why)
                continue
            self._add(facts, text, split, split.result)
        progress("chunk", len(self._documents), len(self._documents))

    def _add(self, facts: DocumentFacts, text: str, split: SplitDocument, result: Chunked) -> None:
        """Add the parts of a document with this text to the corpus."""
        articles = split.articles
        chunks = [*result.chunks, *self._annex_chunks(facts, result.chunks, split.annexes)]
        if facts.version:
            renamed = with_version_ids(chunks, facts.version)
            self._versions.add_earlier(facts, self._filter.kept(renamed), articles)
        else:
            kept = list(self._filter.kept(chunks))
            self._versions.add_newest(facts, kept)
            for chunk in kept:
                self._chunks.append(chunk)
                self._copies.add(chunk.text)
            self._articles.extend(articles)
            if facts.kind in VERSIONED:
                self._collect_names(facts.title, text, result)
        for warning in result.warnings:
            self._log.warn(f"{facts.source}: {warning}")
        self._log.removed_spans.update(span.name for span in result.removed)

    def _collect_names(self, title: str, text: str, result: Chunked) -> None:
        """Collect what the 부칙 of a document say about names, and the acts that it cites."""
        spans = [span for span in result.removed if span.name == "supplement"]
        spans += [
            span
            for span, chunk in zip(result.spans, result.chunks, strict=True)
            if chunk.path.startswith("부칙")
        ]
        # One text, because a part of a split 부칙 has no header of its own.
        places = sorted({(span.start, span.end) for span in spans})
        self._names.add_supplement(title, "\n".join(text[start:end] for start, end in places))
        for article in result.articles:
            self._names.add_article(article.text)

    def write_names(self, out: Path) -> None:
        """Write the former names of the acts, and the names of the recipe, which come first.

        A name of the recipe whose title no document has is reported and left out.
        """
        titles = sorted({facts.title for facts in self._documents})
        known = {name_key(title): title for title in titles}
        names: dict[str, FormerName] = {}
        for name, title in self._settings.names.items():
            present = known.get(name_key(title))
            if name_key(name) in known:
                self._log.warn(f"data.names: `{name}` is the title of a document; it is ignored")
            elif present is None:
                self._log.warn(f"data.names: no document has the title `{title}` of `{name}`")
            else:
                names[name_key(name)] = FormerName(name, (present,), same=True)
        for one in self._names.names(titles):
            names.setdefault(name_key(one.name), one)
        found = self._former = sorted(names.values(), key=lambda one: one.name)
        write_json(out / NAMES, [[one.name, one.titles, one.same] for one in found])

    def _annex_chunks(
        self, facts: DocumentFacts, own: Sequence[Chunk], annexes: Sequence[Chunked]
    ) -> Iterator[Chunk]:
        """Yield the chunks of the annexes in files of their own.

        A file is rejected if the regulation itself has the text of the annex.
        """
        units = {chunk.unit for chunk in own}
        for part, result in zip(facts.parts, annexes, strict=True):
            held = next((chunk for chunk in result.chunks if chunk.unit in units), None)
            if held is not None:
                why = f"{facts.source} has the text of {held.unit}"
                self._log.reject("read", part.source, "same_annex", why)
                continue
            self._log.removed_spans.update(span.name for span in result.removed)
            yield from result.chunks

    def reject_copies(self, out: Path, progress: Progress) -> None:
        """Find the chunks that are copies of others and reject them."""
        progress("clean", 0, 1)
        with atomic_write(out / "duplicates.jsonl") as handle:
            if self._settings.near_duplicates.enabled:
                self._copy_of = reject_copies(
                    self._copies.pairs(),
                    self._chunks,
                    self._log,
                    lambda pair: handle.write(dumps(pair) + "\n"),
                )
        progress("clean", 1, 1)

    def write_chunks(self, out: Path) -> Lengths:
        """Write the chunks that are not copies; returns their lengths."""
        lengths = Lengths()
        with atomic_write(out / "chunks.jsonl") as handle:
            for row, chunk in enumerate(self._chunks):
                if row in self._copy_of:
                    self._filter.rejected_ids.add(chunk["id"])
                    continue
                chunk["since"] = self._versions.since.get(chunk["id"], "")
                handle.write(dumps(chunk) + "\n")
                lengths.add(chunk["document_id"], chunk["source"], self._count(chunk["text"]))
                self._add_annex(chunk)
        return lengths

    def write_earlier(self, out: Path, lengths: Lengths) -> int:
        """Write what only earlier versions of acts contain; returns the number of chunks."""

        def counted() -> Iterator[dict[str, Any]]:
            for chunk in self._versions.earlier_chunks():
                lengths.per_file[chunk["document_id"], chunk["source"]] += 1
                yield chunk

        return write_jsonl(out / EARLIER, counted())

    def _add_annex(self, chunk: dict[str, Any]) -> None:
        """Register a chunk of an annex, so that references to the annex find it."""
        if chunk["kind"] not in ("statute", "rule"):
            return
        unit, (title, name) = chunk["unit"], split_unit(chunk["unit"])
        if title != chunk["title"] or not annex_name(name):
            return
        if not self._lookup.chunk_ids(unit):
            header = chunk["text"].partition("\n")[0]
            self._annexes.append(Passage(unit, title, "", header, False))
        self._lookup.add_chunks(unit, chunk["id"])

    def write_articles(self, out: Path) -> ArticleCounts:
        """Write the articles with the ids of the chunks that were kept.

        An article without any chunk left is not written. A deleted article is, as a marker.
        """
        valid = deleted = 0
        rejected = self._filter.rejected_ids
        with atomic_write(out / "articles.jsonl") as handle:
            for article in self._articles:
                ids = [name for name in article["chunk_ids"] if name not in rejected]
                if not ids and not article["deleted"]:
                    continue
                article["chunk_ids"] = ids
                handle.write(dumps(article) + "\n")
                self._lookup.add(article["title"], article["number"], article["id"], ids)
                deleted += article["deleted"]
                valid += not article["deleted"]
        return ArticleCounts(valid, deleted)

    def write_references(self, out: Path) -> tuple[int, int]:
        """Write the references of articles and of annexes' titles; returns (all, resolved).

        A reference to an article that only an earlier version has leads to that version's text.
        Call it after `write_names`: a former name of an act leads to the present act.
        """
        resolved = 0
        for unit, ids in self._versions.latest_units():
            if not self._lookup.chunk_ids(unit):
                self._lookup.add_chunks(unit, *ids)

        def references() -> Iterator[Reference]:
            nonlocal resolved
            records = read_json_lines(out / "articles.jsonl")
            articles = (Passage.of(record) for _, record in records)
            passages = chain(articles, self._annexes, self._versions.earlier_passages())
            for reference in citation_graph(passages, self._lookup, self._log.warn, self._former):
                resolved += reference.resolved
                yield reference

        return write_jsonl(out / "citations.jsonl", references()), resolved

    def write_edges(self, out: Path) -> int:
        """Write the typed edges between articles and annexes; returns their number.

        Call it after `write_articles` and `write_references`, whose files it reads.
        """

        def rules() -> Iterator[Rule]:
            for _, record in read_json_lines(out / "articles.jsonl"):
                if not record["deleted"]:
                    yield Rule.of(record)

        links = (
            Link(record["source"], record["target"], record["text"], record["end"])
            for _, record in read_json_lines(out / "citations.jsonl")
            if record["resolved"]
        )
        return write_jsonl(out / EDGES, typed_edges(rules, links))
