"""The citation graph of a corpus: which provision refers to which."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kofinlaw.data.law.annexes import split_unit
from kofinlaw.data.law.citations import Scope, document_aliases, find_citations
from kofinlaw.data.readers.documents import document_id
from kofinlaw.records import Article, Chunk


@dataclass(frozen=True, slots=True)
class Reference:
    """An edge: `source` and `target` are units (articles, annexes), `provision` the place in the
    target, `text` the words, `start` and `end` their place in the source's `Article.text` (for an
    annex, in its title: the first line of its chunk).

    `chunk_ids` hold the target's text; empty, and `resolved` false, where the corpus lacks it.
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
    """An article's words without its tree, or an annex's title (its number is empty)."""

    id: str
    title: str
    number: str
    text: str
    deleted: bool

    @classmethod
    def of(cls, record: dict[str, Any]) -> Passage:
        """From an article's record as JSON."""
        return cls(*(record[name] for name in cls._fields))


Citing = Article | Passage


class Shelf:
    """Which articles a corpus holds, and in which chunks each lies: some 60 bytes an article."""

    def __init__(self) -> None:
        self._numbers: dict[str, list[str]] = {}
        # None stands for the usual case: one chunk, named by the document and the number.
        self._chunks: dict[str, dict[str, tuple[str, ...] | None]] = {}

    def add(self, title: str, number: str, article_id: str, chunk_ids: Sequence[str]) -> None:
        """Take in the next article, in order."""
        self._numbers.setdefault(title, []).append(sys.intern(number))
        name = sys.intern(article_id[len(title) + 1 :])
        if chunk_ids:
            usual = len(chunk_ids) == 1 and chunk_ids[0] == _usual(title, name)
            held = self._chunks.setdefault(title, {})
            held[name] = None if usual else tuple(chunk_ids)

    def hold(self, unit: str, *chunk_ids: str) -> None:
        """Take in chunks of an annex, or of an article that the acts no longer have, in order."""
        title, name = split_unit(unit)
        held = self._chunks.setdefault(title, {})
        held[name] = (*(held.get(name) or ()), *chunk_ids)

    def scope(self) -> Scope:
        """The titles and article numbers, without any document's own short names."""
        return Scope.of(self._numbers)

    def chunk_ids(self, unit: str) -> tuple[str, ...]:
        """The chunks that hold an article or an annex; none where the corpus lacks it."""
        title, number = split_unit(unit)
        held = self._chunks.get(title, {})
        if number not in held:
            return ()
        return held[number] or (_usual(title, number),)


def _usual(title: str, number: str) -> str:
    return f"{document_id(title)}/{number}"


def references(articles: Sequence[Article], chunks: Sequence[Chunk] = ()) -> Iterator[Reference]:
    """The references of all articles, in order; those to other provisions of the article too."""
    shelf = Shelf()
    for article in articles:
        shelf.add(article.title, article.number, article.id, article.chunk_ids)
    by_title: dict[str, list[Article]] = {}
    for article in articles:
        by_title.setdefault(article.title, []).append(article)
    return graph(itertools.chain.from_iterable(by_title.values()), shelf)


def graph(passages: Iterable[Citing], shelf: Shelf) -> Iterator[Reference]:
    """The references of articles that come document by document, and of annexes after them all.

    An annex's title is read with the short names that the articles of its document set.
    """
    scope = shelf.scope()
    aliases: dict[str, Mapping[str, str]] = {}
    for title, run in itertools.groupby(passages, key=lambda passage: passage.title):
        group = list(run)
        if title not in aliases:
            text = "\n".join(passage.text for passage in group)
            aliases[title] = document_aliases(title, text, scope.titles)
        here = replace(scope, names=aliases[title])
        for passage in group:
            if not passage.deleted:
                yield from _references(passage, here, shelf)


def _references(passage: Citing, scope: Scope, shelf: Shelf) -> Iterator[Reference]:
    found = find_citations(passage.text, act=passage.title, article=passage.number, scope=scope)
    for citation in found:
        if citation.target == passage.id and not passage.number:
            continue  # an annex's title names the annex
        held = shelf.chunk_ids(citation.target)
        yield Reference(
            source=passage.id,
            target=citation.target,
            provision=citation.provision,
            text=passage.text[citation.start : citation.end],
            start=citation.start,
            end=citation.end,
            resolved=bool(held),
            chunk_ids=_chunks(citation.target, held, citation.provision),
        )


def _chunks(unit: str, ids: tuple[str, ...], provision: str) -> tuple[str, ...]:
    """The chunks that hold the provision; all of them where it cannot be told.

    The parts of a split article are named by the first provision they hold, so the provision is
    in the last part whose name does not come after it.
    """
    if len(ids) < 2 or not provision:
        return ids
    if not split_unit(unit)[1].startswith("제"):
        return ids  # an annex's parts are not named by what they hold
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
    """A provision's place for comparing: (kind, number, branch) of each step."""
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
