"""Build the citation graph of a corpus: which provision refers to which."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kofinlaw.data.law.annexes import split_unit
from kofinlaw.data.law.citations import Scope, document_aliases, find_citations
from kofinlaw.data.law.former_names import FormerName
from kofinlaw.data.law.titles import DECREES, document_id, title_key, titles_by_key
from kofinlaw.records import Article, Chunk, record_fault

__all__ = ["ChunkLookup", "Citing", "Passage", "Reference", "citation_graph", "references"]


@dataclass(frozen=True, slots=True)
class Reference:
    """An edge of the citation graph.

    - `source` and `target` are units (articles, annexes); `target` is only the title of an act
      where the reference names an act that this one replaced.
    - `provision` is the path inside the target.
    - `text` are the words of the reference, `start` and `end` their character offsets in the
      source's `Article.text`. For an annex they are offsets in its title, which is the first line
      of its chunk.
    - `chunk_ids` contain the text of the target. They are empty, and `resolved` is false, if the
      corpus does not contain it.
    """

    source: str
    target: str
    provision: str
    text: str
    start: int
    end: int
    resolved: bool
    chunk_ids: tuple[str, ...]


class Passage(NamedTuple):
    """The text of an article, or the title of an annex (with an empty `number`)."""

    id: str
    title: str
    number: str
    text: str
    deleted: bool

    @classmethod
    def of(cls, record: dict[str, Any]) -> Passage:
        """Return the passage of an article's JSON record."""
        return cls(*(record[name] for name in cls._fields))


Citing = Article | Passage


class ChunkLookup:
    """Which chunks contain each article and annex of a corpus: about 60 bytes an article."""

    def __init__(self) -> None:
        self._numbers: dict[str, list[str]] = {}
        # None means the usual case: one chunk, named by the document and the number.
        self._chunks: dict[str, dict[str, tuple[str, ...] | None]] = {}

    def add(self, title: str, number: str, article_id: str, chunk_ids: Sequence[str]) -> None:
        """Add the next article, in order."""
        self._numbers.setdefault(title, []).append(sys.intern(number))
        name = sys.intern(article_id[len(title) + 1 :])
        if chunk_ids:
            usual = len(chunk_ids) == 1 and chunk_ids[0] == _usual(title, name)
            held = self._chunks.setdefault(title, {})
            held[name] = None if usual else tuple(chunk_ids)

    def add_chunks(self, unit: str, *chunk_ids: str) -> None:
        """Add chunks of an annex, or of an article that only earlier versions have, in order."""
        title, name = split_unit(unit)
        held = self._chunks.setdefault(title, {})
        held[name] = (*(held.get(name) or ()), *chunk_ids)

    def scope(self, former: Iterable[FormerName] = ()) -> Scope:
        """Return the titles and article numbers, without short names of a document.

        A former name of an act that kept its articles counts as its present title, and so does the
        former name of its decree.
        """
        scope = Scope.of(self._numbers)
        known = titles_by_key(self._chunks)
        names: dict[str, str] = {}
        for one in former:
            if one.same and len(one.titles) == 1:
                for tail in ("", *DECREES):
                    present = known.get(title_key(one.titles[0] + tail))
                    if present:
                        names[title_key(one.name + tail)] = present
        return replace(scope, titles={**names, **scope.titles}) if names else scope

    def chunk_ids(self, unit: str) -> tuple[str, ...]:
        """Return the chunks that contain an article or annex;
        none if the corpus does not contain it.
        """
        title, number = split_unit(unit)
        held = self._chunks.get(title, {})
        if number not in held:
            return ()
        return held[number] or (_usual(title, number),)

    def spelled(self, unit: str) -> str:
        """Return the unit in the spelling of the corpus: `별표 19-3` is `별표 19의3` of a text
        that has only the latter, and the other way round.
        """
        title, number = split_unit(unit)
        held = self._chunks.get(title, {})
        if number in held or not number.startswith(("별표", "별지")):
            return unit
        other = number.replace("-", "의") if "-" in number else number.replace("의", "-")
        return f"{title} {other}" if other in held else unit


def _usual(title: str, number: str) -> str:
    return f"{document_id(title)}/{number}"


def references(articles: Sequence[Article], chunks: Sequence[Chunk] = ()) -> Iterator[Reference]:
    """Return the references of all articles, in order, including references inside one article."""
    lookup = ChunkLookup()
    for article in articles:
        lookup.add(article.title, article.number, article.id, article.chunk_ids)
    by_title: dict[str, list[Article]] = {}
    for article in articles:
        by_title.setdefault(article.title, []).append(article)
    return citation_graph(itertools.chain.from_iterable(by_title.values()), lookup)


def citation_graph(
    passages: Iterable[Citing],
    lookup: ChunkLookup,
    report: Callable[[str], None] | None = None,
    former: Sequence[FormerName] = (),
) -> Iterator[Reference]:
    """Yield the references of passages: articles, document by document, and then all annexes.

    The title of an annex is read with the short names that the articles of its document define. A
    reference to an act by a former name (`former`) leads to the present act: to the article of the
    same number if the act was only renamed, and to the act alone (not resolved) if another act
    replaced it.

    `report` gets the id of a passage whose references cannot be read, with the reason; without it
    the error is raised.
    """
    scope = lookup.scope(former)
    replaced = {
        title_key(one.name): one.titles[0]
        for one in former
        if not one.same and len(one.titles) == 1 and title_key(one.name) not in scope.titles
    }
    aliases: dict[str, Mapping[str, str]] = {}
    for title, run in itertools.groupby(passages, key=lambda passage: passage.title):
        group = list(run)
        if title not in aliases:
            text = "\n".join(passage.text for passage in group)
            try:
                aliases[title] = document_aliases(title, text, scope.titles)
            except Exception as error:
                _report(report, title, error)
                aliases[title] = {}
        here = replace(scope, names=aliases[title])
        for passage in group:
            if passage.deleted:
                continue
            try:
                found = list(_references(passage, here, lookup, replaced))
            except Exception as error:
                _report(report, passage.id, error)
                continue
            yield from found


def _report(report: Callable[[str], None] | None, name: str, error: Exception) -> None:
    if report is None:
        raise error
    report(f"{name}: its references cannot be read: {record_fault(error)}")


def _references(
    passage: Citing, scope: Scope, lookup: ChunkLookup, replaced: Mapping[str, str]
) -> Iterator[Reference]:
    found = find_citations(passage.text, act=passage.title, article=passage.number, scope=scope)
    for citation in found:
        target, provision = lookup.spelled(citation.target), citation.provision
        present = replaced.get(title_key(split_unit(target)[0]))
        if present:
            target, provision = present, ""  # the articles of the other act have other numbers
        if target == passage.id and not passage.number:
            continue  # an annex's title names the annex
        held = lookup.chunk_ids(target)
        yield Reference(
            source=passage.id,
            target=target,
            provision=provision,
            text=passage.text[citation.start : citation.end],
            start=citation.start,
            end=citation.end,
            resolved=bool(held),
            chunk_ids=_chunks(target, held, provision),
        )


def _chunks(unit: str, ids: tuple[str, ...], provision: str) -> tuple[str, ...]:
    """Return the chunks of the unit that contain the provision; all of them if that is unknown.

    A part of a split article is named by its first provision. The provision is therefore in the
    last part whose name does not come after it.
    """
    if len(ids) < 2 or not provision:
        return ids
    if not split_unit(unit)[1].startswith("제"):
        return ids  # the parts of an annex are not named by provisions
    wanted = _order(provision)
    best: list[str] = []
    for name in ids:
        label = re.sub(r"~\d+$", "", name.rpartition("/")[2])
        here = _order(label)
        if here == wanted[: len(here)] and here:
            if best and _order(re.sub(r"~\d+$", "", best[-1].rpartition("/")[2])) != here:
                best = []
            best.append(name)
        elif here < wanted and not (best and _order(best[-1].rpartition("/")[2]) > here):
            best = [name]
    return tuple(best) or ids


def _order(label: str) -> tuple[tuple[int, int, int], ...]:
    """Return a sort key of a provision: (kind, number, branch) of each step of its path."""
    letters = "가나다라마바사아자차카타파하"
    out: list[tuple[int, int, int]] = []
    for number, kind, letter, branch in re.findall(r"제(\d+)(항|호)|([가-하])목|의(\d+)", label):
        if branch and out:
            out[-1] = (out[-1][0], out[-1][1], int(branch))
        elif letter:
            out.append((2, letters.find(letter), 0))
        elif number:
            out.append((0 if kind == "항" else 1, int(number), 0))
    return tuple(out)
