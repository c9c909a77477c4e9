"""Read the source files into documents and select those in force on a day.

Documents are written to a spool one by one as they are read. The selection uses only their facts.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from kofinlaw import Progress, UserError
from kofinlaw.cluster.jobs import HERE, Workers
from kofinlaw.data.annex_files import attach_annexes
from kofinlaw.data.cleaning.sketches import sketch
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.jobs.reading import FileToRead, ReadLog, read_files
from kofinlaw.data.law import history
from kofinlaw.data.law.annexes import Annex
from kofinlaw.data.law.same_title import separate_titles
from kofinlaw.data.law.statute import looks_like_statute
from kofinlaw.data.law.versions import order_versions
from kofinlaw.data.readers.days import COMMIT
from kofinlaw.data.readers.documents import LAW_NUMBERS, Document
from kofinlaw.data.readers.formats import Reader, read_documents
from kofinlaw.data.readers.paged.unread_pages import NoTextError, Pages
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings, SourceSettings
from kofinlaw.data.source_files import FileList, list_files, source_path
from kofinlaw.data.spool import Spool
from kofinlaw.files import sha256_file, sha256_text
from kofinlaw.records import record_fault

_OPENING = 20_000  # characters that are compared with another text of the same title

__all__ = [
    "in_force",
    "read_sources",
    "refuse_protected_sources",
    "restore_document",
]


def refuse_protected_sources(
    settings: DataSettings, base: Path, extra_suffixes: Collection[str] = ()
) -> None:
    """Raise UserError if a source file has the same bytes as a protected file.

    `extra_suffixes` are the suffixes that readers of the caller read.
    """
    protected = [base / name for name in settings.protected]
    hashes = {sha256_file(path): path for path in protected if path.is_file()}
    sizes = {path.stat().st_size for path in protected if path.is_file()}
    for source in settings.sources if hashes else ():
        for path, name in list_files(source, base, extra_suffixes).to_read:
            if path.stat().st_size in sizes and sha256_file(path) in hashes:
                raise UserError(
                    "this source is a protected file",
                    where=name,
                    remedy="remove it from data.sources: evaluation questions are never a corpus",
                )


def read_sources(
    settings: DataSettings,
    base: Path,
    log: RejectLog,
    progress: Progress,
    spool: Spool | None = None,
    extra_readers: Mapping[str, Reader] | None = None,
    workers: Workers = HERE,
) -> list[DocumentFacts]:
    """Return the facts of the documents of all sources, in order. A file or link that is not read
    is rejected with the reason.

    Args:
        settings: The sources and the limits of files.
        base: The folder to which the paths of the sources are relative.
        log: Receives the rejected files.
        progress: Receives the phases `read` and `history`.
        spool: Receives the documents themselves, one by one.
        extra_readers: Readers by file suffix, in addition to the built-in ones.
        workers: The processes that read files.

    Raises UserError if a source does not exist, or for a suffix that no file can have.
    """
    for suffix in extra_readers or {}:
        if not suffix.startswith(".") or suffix != suffix.lower():
            raise UserError(
                f"`{suffix}` is not a file suffix in lower case",
                where="extra_readers",
                remedy=f"write it as `.{suffix.lower().lstrip('.')}`",
            )
    day = settings.as_of.isoformat() if settings.as_of else ""
    out: list[DocumentFacts] = []
    for document, folder in _documents(settings, base, log, progress, extra_readers, workers):
        meta = document.meta
        row = spool.append(asdict(document)) if spool is not None else len(out)
        out.append(
            DocumentFacts(
                title=document.title,
                kind=document.kind,
                as_of=document.as_of,
                source=document.source,
                license=sys.intern(document.license),
                format=document.format,
                sha256=sha256_text(document.text)[:32],
                first_article=_first_article(document) if day and document.as_of > day else "",
                row=row,
                day_from=document.day_from,
                folder=sys.intern(folder),
                commit=document.day_from == COMMIT,
                rule_type=_stated(meta, "행정규칙종류", "행정규칙구분", "법령구분"),
                ministry=_stated(meta, "소관부처", "소관부처명"),
                serial=_stated(meta, "행정규칙일련번호", "admRulSeq", "법령일련번호"),
                ocr=document.pages.ocr,
                annex=document.annex,
                law_number=_stated(meta, *LAW_NUMBERS),
                articles=looks_like_statute(document.text[:_OPENING]),
                sketch=sketch(document.text[:_OPENING]),
                title_from=document.title_from,
                other_title=document.other_title,
            )
        )
    return out


def _stated(meta: Mapping[str, str], *keys: str) -> str:
    """Return the first of these keys that the front matter states, or an empty text."""
    return next((sys.intern(meta[key].strip()) for key in keys if meta.get(key)), "")


def restore_document(spool: Spool, facts: DocumentFacts) -> Document:
    """Return the document of these facts from the spool.

    Title, kind, day and licence are those of the facts: an annex has them from its regulation.
    """
    value = spool[facts.row]
    value["warnings"] = tuple(value["warnings"])
    value["annex"] = Annex(**value["annex"]) if value["annex"] else None
    pages = value["pages"]
    value["pages"] = Pages(tuple(pages["starts"]), tuple((n, share) for n, share in pages["ocr"]))
    return replace(
        Document(**value),
        title=facts.title,
        kind=facts.kind,
        as_of=facts.as_of,
        license=facts.license,
        day_from=facts.day_from,
        annex=facts.annex,
    )


def _documents(
    settings: DataSettings,
    base: Path,
    log: RejectLog,
    progress: Progress,
    extra_readers: Mapping[str, Reader] | None,
    workers: Workers,
) -> Iterator[tuple[Document, str]]:
    """Yield each document with the folder of its file."""

    def read(path: Path, source: SourceSettings, name: str) -> Iterator[Document]:
        return _read(path, source, settings, name, log, extra_readers)

    listed: list[FileToRead] = []
    for number, source in enumerate(settings.sources):
        root = source_path(source, base)
        files = list_files(source, base, extra_readers or ())
        tracked = _tracked(root) if settings.as_of is not None else set()
        if tracked:
            _skip_untracked(files, root, tracked)
        log.files_found += len(files.unread)
        for unread in files.unread:
            log.reject("read", unread.name, unread.reason, unread.detail)
        if tracked:
            yield from _from_history(source, root, settings, log, progress, read)
        else:
            log.files_found += len(files.to_read)
            listed += [FileToRead(path, name, number) for path, name in files.to_read]
    if workers is HERE or extra_readers:  # documents one by one; a reader of the user stays here
        for done, file in enumerate(listed):
            progress("read", done, len(listed), file=file.name)
            for document in read(file.path, settings.sources[file.source], file.name):
                yield document, file.path.parent.as_posix()
    else:
        found = read_files(listed, partial(_read_for, settings), workers)
        for done, (file, result) in enumerate(found):
            progress("read", done, len(listed), file=file.name)
            result.tell(log)
            for document in result.documents:
                yield document, file.path.parent.as_posix()
    progress("read", len(listed), len(listed))


def _tracked(root: Path) -> set[str]:
    """Return the files of a source that have a git history, relative to it; empty for a file."""
    return history.tracked_files(root) if root.is_dir() else set()


def _skip_untracked(files: FileList, root: Path, tracked: set[str]) -> None:
    """Mark the files that git does not know as unread: a history has no version of them."""
    for path, name in files.to_read:
        if path.relative_to(root).as_posix() not in tracked:
            files.skip(
                name, "untracked", "not in the git history → commit it, or leave out data.as_of"
            )


def _read_for(settings: DataSettings, file: FileToRead, log: ReadLog) -> Iterator[Document]:
    """Yield the documents of a file, in any process."""
    return _read(file.path, settings.sources[file.source], settings, file.name, log, None)


def _read(
    path: Path,
    source: SourceSettings,
    settings: DataSettings,
    name: str,
    log: ReadLog,
    extra_readers: Mapping[str, Reader] | None,
) -> Iterator[Document]:
    """Yield the documents of a file; an unreadable file is rejected with the reason."""
    try:
        documents = read_documents(
            path, source, settings.limits, name=name, extra_readers=extra_readers
        )
        named = False
        faults: list[str] = []
        for document in documents:
            named = named or document.source == name or bool(document.text.strip())
            if document.fault:
                log.reject("read", document.source, "unreadable", document.fault)
                faults.append(document.fault)
                continue
            if not document.text.strip():
                why = "; ".join(["no text", *document.warnings])
                log.reject("read", document.source, "empty", why)
                continue
            for warning in document.warnings:
                log.warn(f"{name}: {warning}", shown=bool(document.pages.unsure))
            for pages in document.pages.unread:
                log.reject("read", name, pages.reason, pages.detail, pages, in_part=True)
            yield document
        if faults:
            why = f"{len(faults)} of its records cannot be read ({faults[0]})"
            log.warn(f"{name}: {why}", shown=True)
        if not named:  # a table without records, or with empty ones only
            log.reject("read", name, "empty", "no record with text")
    except NoTextError as error:
        for pages in error.unread:
            log.reject("read", name, pages.reason, pages.detail, pages)
    except Exception as error:  # one damaged file never ends a run
        log.reject("read", name, "unreadable", record_fault(error, name))


def _from_history(
    source: SourceSettings,
    root: Path,
    settings: DataSettings,
    log: RejectLog,
    progress: Progress,
    read: Callable[[Path, SourceSettings, str], Iterator[Document]],
) -> Iterator[tuple[Document, str]]:
    """Yield the documents of a git clone in force on `as_of`,
    and back in time to `history_from`, each with the folder of its file.
    """
    if settings.as_of is None:
        return
    versions = history.versions_in_force(
        root, settings.as_of, source.include, first=settings.history_from
    )
    for done, version in enumerate(versions):
        progress("history", done, file=version.path)
        log.files_found += 1
        name = f"{root.name}/{version.path}@{version.commit[:12]}"
        if version.state == "repealed":
            log.reject("read", name, "repealed", f"repealed on {version.day}")
            continue
        if version.state == "link":
            log.reject("read", name, "link", "a link in a git history is not followed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(version.path).name
            path.write_bytes(version.data)
            for document in read(path, source, name):
                meta = {**document.meta, "commit": version.commit}
                # A text without its own date gets the date of its commit.
                dated = replace(document, meta=meta)
                if not dated.as_of:
                    dated = replace(dated, as_of=version.day, day_from=COMMIT)
                if version.state == "later" and not settings.allow_not_in_force:
                    day = max(dated.as_of, version.day)
                    why = _too_late(dated.title, _first_article(dated), day)
                    log.reject("read", name, "not_in_force", why)
                else:
                    yield dated, (root / version.path).parent.as_posix()


def _first_article(document: Document) -> str:
    found = re.search(r"제\d+조(?:의\d+)?", document.text) if document.kind != "guideline" else None
    return found.group(0) if found else ""


def _too_late(title: str, first_article: str, day: str) -> str:
    """Return a reason such as `전자금융업무 규정 제1조 is in force from 2026-01-02`."""
    return f"{f'{title} {first_article}'.strip()} is in force from {day}"


def in_force(
    documents: list[DocumentFacts], settings: DataSettings, log: RejectLog
) -> list[DocumentFacts]:
    """Return the documents in force on `as_of` or before, with the newest version
    of each act first.

    Unrelated files with one title in their metadata get titles of their own first. Annexes in files
    of their own are attached to their regulation first. Of two texts of one
    document and day, one with a text layer is kept before one that was read by OCR. A document with
    a later day, or without a day, is rejected unless `allow_not_in_force` is set.
    """
    day = settings.as_of
    documents = separate_titles(documents, log)
    kept: list[DocumentFacts] = []
    for document in sorted(attach_annexes(documents, log), key=lambda one: bool(one.ocr)):
        if day and not settings.allow_not_in_force:
            late = document.as_of > day.isoformat()
            if not document.as_of or late:
                too_late = _too_late(document.title, document.first_article, document.as_of)
                why = too_late if late else f"{document.title} has no date"
                for facts in (document, *document.parts):
                    log.reject("in_force", facts.source, "not_in_force", why)
                continue
        kept.append(document)
    return order_versions(kept, log)
