"""Order the versions of an act and find the period in which each text was in force.

The newest version of an act is in `chunks.jsonl`. `earlier.jsonl` contains the texts of earlier
versions that differ: only articles that were changed or deleted since.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kofinlaw.data.annex_files import with_parts
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.graph import Passage
from kofinlaw.data.law.same_title import by_content
from kofinlaw.data.law.titles import title_key
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.spool import Spool
from kofinlaw.files import read_jsonl, sha256_text
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
_FORM = re.compile(r"[\s.,·ㆍ‧•\"“”'‘’`「」『』\\]")
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

    Versions have one title, in any spelling of its blanks; all get the newest one's. Two texts of
    one title whose 종류 and 소관부처 both differ are not versions: one gets both in its title. Nor
    are texts that nothing shows to be versions (`same_title.versions_of_one`): they get a number.

    Rejected are: a second copy of a version, a text without a date if there are dated ones, and
    the second of two different texts with the same title and day (with a warning). Documents of
    other kinds that share a title get a number, so that their ids differ.
    """
    by_title: dict[str, list[DocumentFacts]] = {}
    for document in documents:
        key = title_key(document.title) if document.kind in VERSIONED else f" {document.id}"
        by_title.setdefault(key, []).append(document)
    out: list[DocumentFacts] = []
    for titled in by_title.values():
        if len(titled) == 1 or titled[0].kind not in VERSIONED:
            out.extend(_numbered(titled))
            continue
        for group in by_content(_by_issuer(titled, log), log):
            newest, *earlier = _one_a_day(group, log)
            out.append(newest)
            out.extend(_earlier(facts.renamed(newest.title)) for facts in earlier)
    return _distinct(out)


def _earlier(facts: DocumentFacts) -> DocumentFacts:
    """Return the document as an earlier version of its act."""
    parts = tuple(replace(part, version=facts.as_of) for part in facts.parts)
    return replace(facts, version=facts.as_of, parts=parts)


def _distinct(documents: list[DocumentFacts]) -> list[DocumentFacts]:
    """Return the documents, a kind without versions renamed if a statute or rule has its title."""
    seen: Counter[str] = Counter()
    out = list(documents)
    for index in sorted(range(len(out)), key=lambda i: out[i].kind not in VERSIONED):
        document = out[index]
        seen[document.id] += 1
        if (count := seen[document.id]) > 1:
            out[index] = document.renamed(f"{document.title} ({count})")
    return out


def _by_issuer(
    titled: Sequence[DocumentFacts], log: RejectLog
) -> Iterator[Sequence[DocumentFacts]]:
    """Yield the documents of one title in groups of versions.

    The supervisor's 세칙 and the ministry's 고시 may have one title in two collections. A ministry
    that was renamed still issues the same 종류, so one difference alone does not count.
    """
    groups: list[list[DocumentFacts]] = []
    for document in titled:
        fitting = (group for group in groups if not _other_issuer(group[0], document))
        group = next(fitting, None)
        if group is None:
            groups.append([document])
        else:
            group.append(document)
    # The title belongs to the text whose 종류 it ends with.
    groups.sort(key=lambda group: not (group[0].rule_type and _ends_with_type(group[0])))
    for number, group in enumerate(groups):
        if not number:
            yield group
            continue
        first, other = groups[0][0], group[0]
        suffix = f"({other.rule_type}, {other.ministry})"
        log.warn(
            f"two rules have the title {first.title}: {first.source} ({first.rule_type}, "
            f"{first.ministry}) and {other.source}, which is listed with {suffix}"
        )
        yield [facts.renamed(f"{facts.title} {suffix}") for facts in group]


def _other_issuer(first: DocumentFacts, second: DocumentFacts) -> bool:
    pairs = ((first.rule_type, second.rule_type), (first.ministry, second.ministry))
    return all(one and other and one != other for one, other in pairs)


def _ends_with_type(facts: DocumentFacts) -> bool:
    return facts.title.endswith(facts.rule_type)


def _one_a_day(group: Sequence[DocumentFacts], log: RejectLog) -> list[DocumentFacts]:
    """Return the versions of one act, newest first, with one text for each day.

    Annexes in files of their own stay: those of a rejected copy go to the kept text.
    """
    kept: list[DocumentFacts] = []
    for document in sorted(group, key=lambda facts: facts.as_of, reverse=True):
        index = next((i for i, facts in enumerate(kept) if facts.as_of == document.as_of), None)
        same = kept[index] if index is not None else None
        serial = same is not None and bool(same.serial) and same.serial == document.serial
        if same is not None and (serial or same.sha256 == document.sha256):
            what = f"same version ({document.serial})" if serial else "same text"
            why = f"{what} as {same.source}"
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
            for facts in (document, *document.parts):
                log.reject("in_force", facts.source, "superseded", why)
        else:
            kept.append(document)
            continue
        if index is not None:
            kept[index] = with_parts(kept[index], document.parts, log)
    return kept


def _numbered(documents: list[DocumentFacts]) -> list[DocumentFacts]:
    return [
        document if index == 0 else document.renamed(f"{document.title} ({index + 1})")
        for index, document in enumerate(documents)
    ]


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a unit: the hash of its words, and the ids of its chunks."""

    words: str
    ids: tuple[str, ...]


class Versions:
    """Receives the versions of each act, newest first, and stores the texts that differ.

    `since` maps the id of a chunk to the ISO day on which its text came into force: the day of the
    oldest version from which the text did not change. It contains only chunks of acts with several
    versions, and only their ids are in memory. Texts that differ only in blanks, dots and quotation
    marks are one text.
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
                unit: _Text(_words(parts), tuple(c.id for c in parts))
                for unit, parts in _by_unit(chunks).items()
            }
            self._begin(facts.as_of)

    def add_earlier(
        self, facts: DocumentFacts, chunks: Iterable[Chunk], articles: Iterable[Article]
    ) -> None:
        """Add the next earlier version; its chunks have ids with its day (`with_version_ids`)."""
        units: dict[str, _Text] = {}
        for unit, parts in _by_unit(chunks).items():
            words = _words(parts)
            later = self._units.get(unit)
            if later is not None and later.words == words:
                units[unit] = later
                continue
            units[unit] = _Text(words, tuple(chunk.id for chunk in parts))
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


def _words(parts: Iterable[Chunk]) -> str:
    """Return a hash of the text below the headers, without blanks, dots and quotation marks.

    Two collections write one text in different forms; that is not another version of the law.
    """
    body = "".join(chunk.text.partition("\n")[2] for chunk in parts)
    return sha256_text(_FORM.sub("", body))


def _by_unit(chunks: Iterable[Chunk]) -> dict[str, list[Chunk]]:
    out: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        out.setdefault(chunk.unit, []).append(chunk)
    return out
