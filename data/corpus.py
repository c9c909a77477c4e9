"""Build a corpus from source files: read, split, clean, and record what was kept and rejected.

Texts go from disk to disk: documents when they are read, chunks and articles when they are split.
Memory use grows by a few hundred bytes a chunk (ids, band keys, offsets), so a corpus of one
gigabyte needs less than two gigabytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.cluster.jobs import HERE, Workers
from kofinlaw.data.chunking import chunk_document, estimate_tokens
from kofinlaw.data.cleaning.contamination import ProtectedTexts, read_protected
from kofinlaw.data.corpus_build import CorpusBuild
from kofinlaw.data.corpus_card import Lengths, corpus_card, write_card
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.readers.formats import Reader
from kofinlaw.data.reject_log import RejectLog, UnreadFile
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.source_files import unread_lines
from kofinlaw.data.sources import in_force, read_sources, refuse_protected_sources, restore_document
from kofinlaw.data.splitting import CountTokens
from kofinlaw.data.spool import Spool, work_folder
from kofinlaw.files import write_jsonl
from kofinlaw.parquet import write_parquet
from kofinlaw.records import Article

__all__ = ["CorpusCounts", "DocumentList", "build_corpus", "list_documents", "parse_articles"]


@dataclass(frozen=True, slots=True)
class CorpusCounts:
    """The counts of a corpus: records in its files, and lengths of its chunks in tokens.

    `chunks`, `tokens` and `longest_tokens` are about `chunks.jsonl`, `earlier_chunks` about
    `earlier.jsonl`. `articles` are those that are not deleted. `last_lines` say how many files were
    read, and name the others.
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
    files: int
    last_lines: tuple[str, ...]

    def to_record(self) -> dict[str, object]:
        """Return the counts by name."""
        return asdict(self)


def build_corpus(
    settings: DataSettings,
    out: Path,
    *,
    base: Path,
    count_tokens: CountTokens | None = None,
    protected_texts: Sequence[str] = (),
    extra_readers: Mapping[str, Reader] | None = None,
    workers: Workers = HERE,
    progress: Progress = silent,
) -> CorpusCounts:
    """Read the sources and write the corpus into the folder `out`.

    Writes `chunks.jsonl`, `articles.jsonl`, `earlier.jsonl`, `rejected.jsonl`, `citations.jsonl`,
    `duplicates.jsonl` (with `settings.parquet` each one as Parquet too), `edges.jsonl`,
    `names.json` (former names of acts), `card.md` and `card.json`. Each file is written atomically.

    Args:
        settings: Which documents are read, and how they are split and cleaned.
        out: The folder of the corpus.
        base: The folder to which the paths of the sources are relative.
        count_tokens: Number of tokens of a text. Without it lengths are estimated, and the card
            says so.
        protected_texts: Texts that must not appear in the corpus, in addition to the files in
            `settings.protected`.
        extra_readers: Readers of your own by file suffix (`.eml`), see `read_documents`. The
            sources must include the suffix: `include: ["*.eml"]`. They read in this process.
        workers: The processes that read files and split documents.
        progress: Receives the phases `read`, `history`, `chunk` and `clean`.

    Raises:
        UserError: A source is missing or is a protected file, the disk is full, or no document or
            chunk is left.
    """
    refuse_protected_sources(settings, base, extra_readers or ())
    protected = ProtectedTexts([*protected_texts, *_protected_texts(settings, base)])
    with (
        work_folder(out) as folder,
        RejectLog(folder) as log,
        Spool(folder / "documents.jsonl") as spool,
    ):
        try:
            documents = _read_documents(
                settings, base, log, progress, spool, extra_readers, workers
            )
        except UserError:
            write_jsonl(out / "rejected.jsonl", log.rejected())
            raise
        count = count_tokens or estimate_tokens
        with CorpusBuild(settings, folder, documents, log, count, protected) as build:
            build.split(spool, progress, workers)
            build.reject_copies(out, progress)
            lengths = build.write_chunks(out)
            earlier = build.write_earlier(out, lengths)
            articles = build.write_articles(out)
            build.write_names(out)
            references, resolved = build.write_references(out)
            build.write_edges(out)
        rejected = write_jsonl(out / "rejected.jsonl", log.rejected())
    keep = settings.chunks.include_annexes
    _name_files_without_chunks(documents, lengths, log, annexes=keep)
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
        files=log.files_found,
        last_lines=(*unread_lines(log.files_found, log.unread), *log.shown_lines()),
    )


def _name_files_without_chunks(
    documents: Sequence[DocumentFacts], lengths: Lengths, log: RejectLog, *, annexes: bool
) -> None:
    """Add the files of the newest versions that gave no chunk to the unread files.

    `annexes` says whether the recipe keeps annexes.
    """
    named = {file.name for file in log.unread if not file.in_part}
    for document in documents:
        for facts in (document, *document.parts) if not document.version else ():
            if lengths.per_file[facts.id, facts.source] or facts.source in named:
                continue
            why = "every chunk was rejected, see rejected.jsonl"
            if facts.annex and not annexes:
                why = "an annex, and chunks.include_annexes is false"
            log.add_unread(facts.source, "no_chunk", why)


def _read_documents(
    settings: DataSettings,
    base: Path,
    log: RejectLog,
    progress: Progress,
    spool: Spool,
    extra_readers: Mapping[str, Reader] | None,
    workers: Workers,
) -> list[DocumentFacts]:
    """Store the documents in the spool; returns the facts of those in force."""
    found = read_sources(settings, base, log, progress, spool, extra_readers, workers)
    known = len(log.warnings)
    documents = in_force(found, settings, log)
    for warning in log.warnings[known:]:  # two texts of one day: tell the user at once
        progress(f"warning: {warning}", 0)
    return _at_least_one(documents, settings, log)


@dataclass(frozen=True, slots=True)
class DocumentList:
    """The documents that the settings select, as (title, ISO day, licence), and the files.

    `files` counts the files and links below the sources; `unread` are those that give no document,
    with the reason.
    """

    documents: tuple[tuple[str, str, str], ...]
    files: int
    unread: tuple[UnreadFile, ...]


def list_documents(settings: DataSettings, *, base: Path) -> DocumentList:
    """List the documents that the settings select, and the files without one; nothing is split.

    Raises UserError if a source is missing or no document is in force on `settings.as_of`.
    """
    log = RejectLog()
    found = in_force(read_sources(settings, base, log, silent), settings, log)
    documents = _at_least_one(found, settings, log)
    rows = tuple((document.title, document.as_of, document.license) for document in documents)
    return DocumentList(rows, log.files_found, tuple(log.unread))


def parse_articles(settings: DataSettings, *, base: Path) -> list[Article]:
    """Return the articles of the sources, newest versions only; nothing is cleaned or written.

    Raises UserError if a source is missing.
    """
    log = RejectLog()
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder) / "documents.jsonl") as spool:
        found = in_force(read_sources(settings, base, log, silent, spool), settings, log)
        return [
            article
            for facts in found
            if not facts.version
            for article in chunk_document(restore_document(spool, facts), settings.chunks).articles
        ]


def _at_least_one(
    documents: list[DocumentFacts], settings: DataSettings, log: RejectLog
) -> list[DocumentFacts]:
    """Return the documents; raises UserError if there is none."""
    if not documents:
        raise UserError(
            "no document could be read",
            where=", ".join(source.path for source in settings.sources),
            remedy=log.why_empty(),
        )
    return documents


def _protected_texts(settings: DataSettings, base: Path) -> list[str]:
    return [text for name in settings.protected for text in read_protected(base / name)]
