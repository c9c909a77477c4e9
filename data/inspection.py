"""Describe documents before any run: what is read, what is left out and why, first chunks.

The documents are read and split as a run does it. OCR is not run: its pages are named. Copies of
passages across documents are not searched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.chunking import Chunked, chunk_document, estimate_tokens
from kofinlaw.data.cleaning.chunk_filter import ChunkFilter
from kofinlaw.data.cleaning.contamination import ProtectedTexts
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.annexes import annex_name, split_unit
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.readers.paged.tesseract import find_ocr
from kofinlaw.data.reject_log import RejectLog, UnreadFile
from kofinlaw.data.settings import DataSettings, LimitSettings, SourceSettings
from kofinlaw.data.source_files import shown_path
from kofinlaw.data.sources import in_force, read_sources, restore_document
from kofinlaw.data.spool import Spool
from kofinlaw.data.table_rows import is_separator
from kofinlaw.files import existing_path
from kofinlaw.records import Chunk

__all__ = ["Inspection", "SampleChunk", "SeenDocument", "inspect_documents"]

_SAMPLES = 2  # chunks that are shown of each document


@dataclass(frozen=True, slots=True)
class SampleChunk:
    """A chunk as a run would make it: its breadcrumb, tokens (estimated) and text."""

    unit: str
    path: str
    pages: str
    tokens: int
    text: str


@dataclass(frozen=True, slots=True)
class SeenDocument:
    """A document as a run would read it.

    - `file` is the name in records; a record of a table ends in `#3`.
    - `as_of` is an ISO day or empty, `day_from` says where it was found.
    - `version` is set for an earlier version of a document that another file holds.
    - `annex_of` is the regulation of an annex in a file of its own, else empty.
    - `annexes` and `tables` count those in this file, `articles` those that are not deleted;
      `first_article` and `last_article` are their numbers.
    - `left_out` counts the chunks that a run rejects, by reason.
    """

    file: str
    format: str
    encoding: str
    title: str
    kind: str
    as_of: str
    day_from: str
    version: str
    license: str
    annex_of: str
    pages: int
    articles: int
    first_article: str
    last_article: str
    annexes: int
    tables: int
    chunks: int
    tokens: int
    longest: int
    left_out: dict[str, int]
    warnings: tuple[str, ...]
    samples: tuple[SampleChunk, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """All documents below a path, and the files or pages that a run leaves out, with the reason."""

    path: Path
    files: int
    documents: tuple[SeenDocument, ...]
    unread: tuple[UnreadFile, ...]
    warnings: tuple[str, ...]

    def to_record(self) -> dict[str, object]:
        """Return the inspection as one JSON object."""
        return {
            "path": shown_path(str(self.path)),
            "files": self.files,
            "documents": [asdict(one) for one in self.documents],
            "unread": [asdict(one) for one in self.unread],
            "warnings": list(self.warnings),
        }


def inspect_documents(path: Path, words: str = "", progress: Progress = silent) -> Inspection:
    """Read the documents in a folder, or one file, and describe them; nothing is written.

    Args:
        path: The folder or file.
        words: The sample chunks are those that hold all of these words; empty: the first ones.
        progress: Receives the phases `read` and `chunk`.

    Raises UserError if the path is missing, or if there is no file in the folder.
    """
    path = existing_path(path.absolute())
    if not path.exists():
        raise UserError("no such file or folder", where=str(path), remedy="check the path")
    # The name of the folder itself may not be UTF-8, so the settings do not contain it.
    settings = DataSettings(sources=(SourceSettings(path="."),), limits=LimitSettings(ocr_pages=0))
    with (
        tempfile.TemporaryDirectory(prefix="kofinlaw-inspect-") as folder,
        RejectLog() as log,
        Spool(Path(folder) / "documents.jsonl") as spool,
    ):
        found = in_force(read_sources(settings, path, log, progress, spool), settings, log)
        if not log.files_found:
            raise UserError(
                "there is no file in this folder",
                where=str(path),
                remedy="name a folder or file with documents",
            )
        files = [(facts, parent) for one in found for facts, parent in _with_parts(one)]
        seen = []
        for done, (facts, parent) in enumerate(files):
            progress("chunk", done, len(files), document=facts.title)
            seen.append(_seen(restore_document(spool, facts), facts, parent, settings, words))
        progress("chunk", len(files), len(files))
        unread = tuple(_with_ocr_here(one) for one in log.unread)
        shown = {f"{one.file}: {warning}" for one in seen for warning in one.warnings}
        others = tuple(warning for warning in log.warnings if warning not in shown)
        return Inspection(path, log.files_found, tuple(seen), unread, others)


def _with_parts(document: DocumentFacts) -> Iterator[tuple[DocumentFacts, str]]:
    """Yield a document, then its annexes in files of their own with its title."""
    yield document, ""
    for part in document.parts:
        yield part, document.title


def _seen(
    document: Document, facts: DocumentFacts, parent: str, settings: DataSettings, words: str
) -> SeenDocument:
    split = chunk_document(document, settings.chunks)
    with RejectLog() as log:
        limit = settings.chunks.limit
        keep = ChunkFilter(
            settings,
            ProtectedTexts([]),
            log,
            lambda chunk: estimate_tokens(chunk.text) <= limit(chunk.kind),
        )
        chunks = list(keep.kept(split.chunks))
        left_out = dict(sorted(log.reasons.items()))
    valid = [article.number for article in split.articles if not article.deleted]
    lengths = [estimate_tokens(chunk.text) for chunk in chunks]
    wanted = [c for c in chunks if all(word in c.unit or word in c.text for word in words.split())]
    return SeenDocument(
        file=document.source,
        format=document.format,
        encoding=document.meta.get("encoding", ""),
        title=document.title,
        kind=document.kind,
        as_of=document.as_of,
        day_from=document.day_from,
        version=facts.version,
        license=document.license,
        annex_of=parent,
        pages=len(document.pages.starts),
        articles=len(valid),
        first_article=valid[0] if valid else "",
        last_article=valid[-1] if valid else "",
        annexes=_annexes(split),
        tables=sum(is_separator(line) for line in document.text.split("\n") if "|" in line),
        chunks=len(chunks),
        tokens=sum(lengths),
        longest=max(lengths, default=0),
        left_out=left_out,
        warnings=(*document.warnings, *split.warnings),
        samples=tuple(_sample(chunk) for chunk in wanted[:_SAMPLES]),
    )


def _annexes(split: Chunked) -> int:
    """Count the annexes (별표, 별지) in the chunks of a document."""
    units = {chunk.unit for chunk in split.chunks if chunk.kind in ("statute", "rule")}
    return sum(bool(annex_name(split_unit(unit)[1])) for unit in units)


def _sample(chunk: Chunk) -> SampleChunk:
    return SampleChunk(chunk.unit, chunk.path, chunk.pages, estimate_tokens(chunk.text), chunk.text)


def _with_ocr_here(file: UnreadFile) -> UnreadFile:
    """Return an unread file with what a run on this machine would do with its pages."""
    if file.reason != "needs_ocr":
        return file
    ocr = find_ocr()
    here = f"a run reads them with Tesseract {ocr.version}"
    what = f"{ocr.problem}: {ocr.remedy}" if ocr.problem else here
    pages = file.detail.partition(" → ")[0]
    return UnreadFile(file.name, file.reason, f"{pages} → {what}", file.in_part)
