"""Order the versions of an act and find the period in which each text was in force.

The newest version of an act is in `chunks.jsonl`. `earlier.jsonl` contains the texts of earlier
versions that differ: only articles that were changed or deleted since.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.graph import Passage
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.spool import Spool
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk

__all__ = [
    "EARLIER",
    "VERSIONED",
    "Versions",
    "act_of",
    "citation_key",
    "order_versions",
    "read_chunks",
    "validity_text",
    "with_version_ids",
]

EARLIER = "earlier.jsonl"
VERSIONED = frozenset(["statute", "rule"])
_DAY = re.compile(r"@\d{4}-\d{2}-\d{2}$")


def act_of(document_id: str) -> str:
    """Return the document id without a version's day
    (`전자금융거래법@2022-06-10` → `전자금융거래법`).
    """
    return _DAY.sub("", document_id)


def citation_key(chunk: Chunk) -> str:
    """Return the `source` of a chunk's references in `citations.jsonl`.

    It is the chunk's unit. For a text of an earlier version it contains the version's day
    (`전자금융거래법@2022-06-10 제9조`).
    """
    if not chunk.until:
        return chunk.unit
    return f"{chunk.title}@{chunk.as_of}{chunk.unit[len(chunk.title) :]}"


def validity_text(since: str, until: str) -> str:
    """Return the period in which a text was in force: `시행 2022-06-10 ~ 2024-09-14`.

    The arguments are the ISO days of a chunk. The result is empty if `since` is empty (the corpus
    knows one version of the act), and has no last day if `until` is empty. The last day is the one
    before `until`.
    """
    if not since:
        return ""
    if not until:
        return f"시행 {since} ~"
    last = datetime.date.fromisoformat(until) - datetime.timedelta(days=1)
    return f"시행 {since} ~ {last.isoformat()}"


def read_chunks(chunks: Path) -> Iterator[Chunk]:
    """Yield the chunks of a corpus, then the chunks of earlier versions, if any.

    `chunks` is the path of `chunks.jsonl`. Raises UserError with file and line if a file is
    missing or broken.
    """
    yield from read_jsonl(chunks, Chunk)
    if (chunks.parent / EARLIER).is_file():
        yield from read_jsonl(chunks.parent / EARLIER, Chunk)


def order_versions(documents: Sequence[DocumentFacts], log: RejectLog) -> list[DocumentFacts]:
    """Return the documents with each version of an act once, newest version first.

    Rejected are: a second copy of a version, a text without a date if there are dated ones, and
    the second of two different texts with the same title and day (with a warning). Documents of
    other kinds that share a title get a number, so that their ids differ.
    """
    by_title: dict[str, list[DocumentFacts]] = {}
    for document in documents:
        by_title.setdefault(document.id, []).append(document)
    out: list[DocumentFacts] = []
    for group in by_title.values():
        if len(group) == 1 or group[0].kind not in VERSIONED:
            out.extend(_numbered(group))
        else:
            newest, *earlier = _one_a_day(group, log)
            out.append(newest)
            out.extend(replace(facts, version=facts.as_of) for facts in earlier)
    return out


def _one_a_day(group: Sequence[DocumentFacts], log: RejectLog) -> list[DocumentFacts]:
    """Return the versions of one act, newest first, with one text for each day."""
    kept: list[DocumentFacts] = []
    for document in sorted(group, key=lambda facts: facts.as_of, reverse=True):
        same = next((facts for facts in kept if facts.as_of == document.as_of), None)
        if same is not None and same.sha256 == document.sha256:
            why = f"same text as {same.source}"
            log.reject("in_force", document.source, "duplicate", why)
        elif same is not None:
            day = f"of {document.as_of}" if document.as_of else "without a date"
            log.warn(
                f"two different texts of {document.title} {day}: {same.source} is kept, "
                f"{document.source} left out; give each the day it came into force (시행일자)"
            )
            why = f"another text of {document.title} {day} than {same.source}"
            log.reject("in_force", document.source, "same_day", why)
        elif kept and not document.as_of:
            why = f"{document.title} of no date: {kept[0].source} is of {kept[0].as_of}"
            log.reject("in_force", document.source, "superseded", why)
        else:
            kept.append(document)
    return kept


def _numbered(documents: list[DocumentFacts]) -> list[DocumentFacts]:
    return [
        document if index == 0 else replace(document, title=f"{document.title} ({index + 1})")
        for index, document in enumerate(documents)
    ]


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a unit: the hashes and the ids of its chunks."""

    hashes: tuple[str, ...]
    ids: tuple[str, ...]


class Versions:
    """Receives the versions of each act, newest first, and stores the texts that differ.

    `since` maps the id of a chunk to the ISO day on which its text came into force: the day of the
    oldest version from which the text did not change. It contains only chunks of acts with several
    versions, and only their ids are in memory.
    """

    def __init__(self, documents: Iterable[DocumentFacts], folder: Path) -> None:
        self.since: dict[str, str] = {}
        self._acts = {facts.title for facts in documents if facts.version}
        self._chunks = Spool(folder / "earlier.jsonl")
        self._passages = Spool(folder / "earlier-articles.jsonl")
        self._units: dict[str, _Text] = {}
        self._day = ""

    def add_newest(self, facts: DocumentFacts, chunks: Iterable[Chunk]) -> None:
        """Add the newest version of an act: its chunks that were kept."""
        if facts.title in self._acts:
            self._units = {
                unit: _Text(tuple(c.sha256 for c in parts), tuple(c.id for c in parts))
                for unit, parts in _by_unit(chunks).items()
            }
            self._begin(facts.as_of)

    def add_earlier(
        self, facts: DocumentFacts, chunks: Iterable[Chunk], articles: Iterable[Article]
    ) -> None:
        """Add the next earlier version; its chunks have ids with its day (`with_version_ids`)."""
        units: dict[str, _Text] = {}
        for unit, parts in _by_unit(chunks).items():
            hashes = tuple(chunk.sha256 for chunk in parts)
            later = self._units.get(unit)
            if later is not None and later.hashes == hashes:
                units[unit] = later
                continue
            units[unit] = _Text(hashes, tuple(chunk.id for chunk in parts))
            self._chunks.extend(replace(chunk, until=self._day) for chunk in parts)
        new = {unit for unit, text in units.items() if text is not self._units.get(unit)}
        for article in articles:
            if article.id in new:
                name = f"{article.title}@{facts.version} {article.number}"
                passage = Passage(name, article.title, article.number, article.text, False)
                self._passages.append(passage._asdict())
        self._units = units
        self._begin(facts.as_of)

    def _begin(self, day: str) -> None:
        self._day = day
        for text in self._units.values():
            self.since.update(dict.fromkeys(text.ids, day))

    def earlier_chunks(self) -> Iterator[dict[str, Any]]:
        """Yield the records of the chunks that only earlier versions contain."""
        for chunk in self._chunks:
            yield {**chunk, "since": self.since[chunk["id"]]}

    def latest_units(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Return (unit, ids of its chunks) of these chunks, each unit in its latest version."""
        units: dict[str, list[str]] = {}
        day: dict[str, str] = {}
        for chunk in self._chunks:
            unit = chunk["unit"]
            if day.setdefault(unit, chunk["as_of"]) == chunk["as_of"]:
                units.setdefault(unit, []).append(chunk["id"])
        return ((unit, tuple(ids)) for unit, ids in units.items())

    def earlier_passages(self) -> Iterator[Passage]:
        """Return the articles that only earlier versions contain, for their references."""
        return (Passage.of(record) for record in self._passages)

    def close(self) -> None:
        """Close the spools; they are deleted with their folder."""
        self._chunks.close()
        self._passages.close()


def with_version_ids(chunks: Iterable[Chunk], day: str) -> Iterator[Chunk]:
    """Yield the chunks with the version's day in their ids: `전자금융거래법@2022-06-10/제9조`."""
    for chunk in chunks:
        document = f"{chunk.document_id}@{day}"
        rest = chunk.id[len(chunk.document_id) :]
        yield replace(chunk, id=document + rest, document_id=document)


def _by_unit(chunks: Iterable[Chunk]) -> dict[str, list[Chunk]]:
    out: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        out.setdefault(chunk.unit, []).append(chunk)
    return out
