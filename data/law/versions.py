"""Versions of one act: which is the newest, and from when until when a text was in force.

The newest version of an act is the corpus (`chunks.jsonl`). What earlier versions said otherwise
stands beside it (`earlier.jsonl`): only the articles that were changed or deleted since.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw.data.law.graph import Passage
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.spool import Spool
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk

if TYPE_CHECKING:
    from kofinlaw.data.document_facts import DocumentFacts

EARLIER = "earlier.jsonl"
VERSIONED = frozenset(["statute", "rule"])
_DAY = re.compile(r"@\d{4}-\d{2}-\d{2}$")


def act_of(document_id: str) -> str:
    """The document id without a version's day (`전자금융거래법@2022-06-10` → `전자금융거래법`)."""
    return _DAY.sub("", document_id)


def citation_key(chunk: Chunk) -> str:
    """The name under which `citations.jsonl` keeps what a passage refers to.

    That is its unit; for a text of an earlier version with the version's day
    (`전자금융거래법@2022-06-10 제9조`).
    """
    if not chunk.until:
        return chunk.unit
    return f"{chunk.title}@{chunk.as_of}{chunk.unit[len(chunk.title) :]}"


def validity_text(since: str, until: str) -> str:
    """`시행 2022-06-10 ~ 2024-09-14` where the corpus knows several versions, else empty.

    The arguments are a chunk's. The last day is the one before another text came into force; a text
    without an end has none.
    """
    if not since:
        return ""
    if not until:
        return f"시행 {since} ~"
    last = datetime.date.fromisoformat(until) - datetime.timedelta(days=1)
    return f"시행 {since} ~ {last.isoformat()}"


def read_chunks(chunks: Path) -> Iterator[Chunk]:
    """The chunks of a corpus, then those of earlier versions beside them where there are any."""
    yield from read_jsonl(chunks, Chunk)
    if (chunks.parent / EARLIER).is_file():
        yield from read_jsonl(chunks.parent / EARLIER, Chunk)


def ordered(documents: Sequence[DocumentFacts], log: RejectLog) -> list[DocumentFacts]:
    """The documents, of an act each version once, the newest first and then back in time.

    Written off are a second copy of a version, a text without a date beside dated ones, and of two
    texts of one title and day the later one met, of which the log warns. Documents of other
    kinds that share a title get a number, so that ids stay apart.
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
    """The versions of one act, newest first; on one day the first that was met."""
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
        document if place == 0 else replace(document, title=f"{document.title} ({place + 1})")
        for place, document in enumerate(documents)
    ]


@dataclass(frozen=True, slots=True)
class _Text:
    """A unit's text by the hashes of its chunks, and the ids under which it is kept."""

    hashes: tuple[str, ...]
    ids: tuple[str, ...]


class Versions:
    """Takes the versions of each act, newest first, and keeps what the earlier ones said otherwise.

    `since` gives, for each chunk of an act with several versions, the day its text came into
    force: that of the oldest version that has it without a change up to its own. In memory there
    are the ids of such acts alone.
    """

    def __init__(self, documents: Iterable[DocumentFacts], folder: Path) -> None:
        self.since: dict[str, str] = {}
        self._acts = {facts.title for facts in documents if facts.version}
        self._chunks = Spool(folder / "earlier.jsonl")
        self._passages = Spool(folder / "earlier-articles.jsonl")
        self._units: dict[str, _Text] = {}
        self._day = ""

    def newest(self, facts: DocumentFacts, chunks: Iterable[Chunk]) -> None:
        """Take in the newest version of an act, as far as it is kept."""
        if facts.title in self._acts:
            self._units = {
                unit: _Text(tuple(c.sha256 for c in parts), tuple(c.id for c in parts))
                for unit, parts in _by_unit(chunks).items()
            }
            self._begin(facts.as_of)

    def earlier(
        self, facts: DocumentFacts, chunks: Iterable[Chunk], articles: Iterable[Article]
    ) -> None:
        """Take in the next earlier version; `chunks` bear its names (`named_by_day`)."""
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

    def chunks(self) -> Iterator[dict[str, Any]]:
        """The records of what only earlier versions hold."""
        for chunk in self._chunks:
            yield {**chunk, "since": self.since[chunk["id"]]}

    def latest(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(unit, ids of its chunks) of the units in them, as the last version that changed them."""
        units: dict[str, list[str]] = {}
        day: dict[str, str] = {}
        for chunk in self._chunks:
            unit = chunk["unit"]
            if day.setdefault(unit, chunk["as_of"]) == chunk["as_of"]:
                units.setdefault(unit, []).append(chunk["id"])
        return ((unit, tuple(ids)) for unit, ids in units.items())

    def passages(self) -> Iterator[Passage]:
        """The articles among them, for their references."""
        return (Passage.of(record) for record in self._passages)

    def close(self) -> None:
        """Close the spools; they go with their folder."""
        self._chunks.close()
        self._passages.close()


def named_by_day(chunks: Iterable[Chunk], day: str) -> Iterator[Chunk]:
    """Chunks of an earlier version under ids of their own (`전자금융거래법@2022-06-10/제9조`)."""
    for chunk in chunks:
        document = f"{chunk.document_id}@{day}"
        rest = chunk.id[len(chunk.document_id) :]
        yield replace(chunk, id=document + rest, document_id=document)


def _by_unit(chunks: Iterable[Chunk]) -> dict[str, list[Chunk]]:
    out: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        out.setdefault(chunk.unit, []).append(chunk)
    return out
