"""Choose hard negatives: passages that the retrievers rank high and that do not answer the query.

The lists of several retrievers are taken in turn, so that none of them decides alone what is hard.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kofinlaw import Progress, silent
from kofinlaw.augment.retrieval.answers_too import AnswersToo
from kofinlaw.augment.retrieval.pairs import Corpus, Pair
from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.korean.words import bigrams
from kofinlaw.records import Chunk

__all__ = ["POOL", "Asked", "Search", "hard_negatives", "lexical_search", "with_negatives"]

POOL = 20  # passages of each retriever that are candidates

# A query → the rows of the best passages, best first.
Search = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, the row of the passage that answers it, and the rows of passages that do not."""

    query: str
    positive: int
    negatives: tuple[int, ...] = ()


def lexical_search(
    chunks: Sequence[Chunk],
    tokens: Callable[[Sequence[str]], Iterable[list[str]]] | None = None,
    pool: int = POOL,
) -> Search:
    """Return the BM25 search of these passages; `tokens` splits texts, by default into bigrams."""
    split = tokens or (lambda texts: [bigrams(text) for text in texts])
    index = LexicalIndex.build(list(split([chunk.text for chunk in chunks])))

    def search(query: str) -> list[int]:
        (wanted,) = split([query])
        rows, _ = index.query(wanted, pool)
        return [int(row) for row in rows]

    return search


def with_negatives(
    pairs: Sequence[Pair], corpus: Corpus, *, seed: int, progress: Progress = silent
) -> list[Pair]:
    """Return the pairs with one negative each, from the first passages of BM25 over bigrams.

    A pair for which none is found keeps an empty negative.
    """
    rows = {chunk.id: row for row, chunk in enumerate(corpus.chunks)}
    asked = [Asked(pair.anchor, rows[pair.chunk]) for pair in pairs]
    searches = [lexical_search(corpus.chunks)]
    found = hard_negatives(
        asked, corpus.chunks, corpus.citing, searches, count=1, seed=seed, progress=progress
    )
    return [
        replace(pair, negative="".join(corpus.chunks[row].text for row in one.negatives))
        for pair, one in zip(pairs, found, strict=True)
    ]


def hard_negatives(
    asked: Sequence[Asked],
    chunks: Sequence[Chunk],
    citing: Iterable[tuple[str, str]],
    searches: Sequence[Search],
    *,
    count: int,
    seed: int,
    progress: Progress = silent,
) -> list[Asked]:
    """Return the queries with up to `count` negatives each, in the order of the lists.

    No negative may answer its query by `AnswersToo`. All passages that answer an equal query count
    as answers. Of twice as many candidates as are needed, `count` are drawn; a query's draw depends
    on the seed and on its text only.

    Args:
        asked: The queries with the rows of their passages.
        chunks: All passages; rows are numbers of this sequence.
        citing: Pairs of units: the first one cites the second.
        searches: The retrievers.
        count: Negatives of a query.
        seed: Decides the draw.
        progress: Called after every hundred queries.
    """
    check = AnswersToo(chunks, citing)
    units: dict[str, set[str]] = {}
    for one in asked:
        units.setdefault(one.query, set()).add(chunks[one.positive].unit)
    out = []
    for number, one in enumerate(asked):
        lists = [search(one.query) for search in searches]
        candidates = (
            row
            for row in _in_turn(lists)
            if not check(one.query, one.positive, row, units[one.query])
        )
        found = list(itertools.islice(candidates, 2 * count))
        rng = random.Random(f"{seed}:{one.query}")
        kept = sorted(rng.sample(range(len(found)), min(count, len(found))))
        out.append(Asked(one.query, one.positive, tuple(found[place] for place in kept)))
        if number % 100 == 99:
            progress("negatives", number + 1, len(asked))
    return out


def _in_turn(lists: Sequence[Sequence[int]]) -> Iterator[int]:
    """Yield the first of each list, then the second ones; every row once."""
    rows = itertools.chain.from_iterable(itertools.zip_longest(*lists))
    yield from dict.fromkeys(row for row in rows if row is not None)
