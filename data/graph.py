"""The citation graph of a corpus: which provision refers to which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.data.citations import Scope, document_aliases, find_citations
from kofinlaw.data.records import Article, Chunk
from kofinlaw.data.titles import known


@dataclass(frozen=True, slots=True)
class Reference:
    """An edge: `source` and `target` are article ids, `provision` the place in the target, `text`
    the words, `start` and `end` their place in the source's `Article.text`.

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


def corpus_scope(articles: Sequence[Article]) -> Scope:
    """The titles and article numbers of a corpus, without any document's own short names."""
    numbers: dict[str, list[str]] = {}
    for article in articles:
        numbers.setdefault(article.title, []).append(article.number)
    return Scope({}, known(numbers), numbers)


def references(articles: Sequence[Article], chunks: Sequence[Chunk]) -> Iterator[Reference]:
    """The references of all articles, in order; those to other provisions of the article too."""
    scope = corpus_scope(articles)
    by_title: dict[str, list[Article]] = {}
    for article in articles:
        by_title.setdefault(article.title, []).append(article)
    holders = {article.id: article for article in articles if article.chunk_ids}
    texts = {chunk.id: chunk.text for chunk in chunks}
    for title, group in by_title.items():
        names = document_aliases(title, "\n".join(a.text for a in group), scope.titles)
        here = Scope(names, scope.titles, scope.articles)
        for article in group:
            if article.deleted:
                continue
            for found in find_citations(
                article.text, act=title, article=article.number, scope=here
            ):
                target = holders.get(found.target)
                yield Reference(
                    source=article.id,
                    target=found.target,
                    provision=found.provision,
                    text=article.text[found.start : found.end],
                    start=found.start,
                    end=found.end,
                    resolved=target is not None,
                    chunk_ids=_chunks(target, found.provision, texts) if target else (),
                )


def _chunks(target: Article, provision: str, texts: dict[str, str]) -> tuple[str, ...]:
    """The chunks of the target that hold the provision; all of them where it cannot be told.

    The parts of a split article are named by the first provision they hold, so the provision is
    in the last part whose name does not come after it.
    """
    ids = target.chunk_ids
    if len(ids) == 1 or not provision:
        return ids
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
