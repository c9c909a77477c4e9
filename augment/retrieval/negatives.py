"""Choose a hard negative for each pair: a passage that looks right to BM25 and does not answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kofinlaw import Progress, silent
from kofinlaw.augment.retrieval.pairs import Corpus, Pair
from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.korean.words import bigrams

__all__ = ["FIRST", "LAST", "with_negatives"]

# Ranks of the candidates. The first ones are left out: some of them answer too.
FIRST, LAST = 3, 15
SAME = 0.5  # a passage that holds this share of the query's bigrams may answer it too


def with_negatives(
    pairs: Sequence[Pair],
    corpus: Corpus,
    *,
    seed: int,
    tokens: Callable[[str], list[str]] = bigrams,
    progress: Progress = silent,
) -> list[Pair]:
    """Return the pairs with one negative each; a pair for which none is found keeps an empty one.

    Of the passages at the ranks `FIRST` to `LAST` for the query, these are left out: passages of
    the same unit, of units that cite it or that it cites, and passages that hold half of the
    query's bigrams.
    """
    texts = [chunk.text for chunk in corpus.chunks]
    index = LexicalIndex.build([tokens(text) for text in texts])
    related = _related(corpus)
    rng = random.Random(f"{seed}:negatives")
    out = []
    for number, pair in enumerate(pairs):
        wanted = set(tokens(pair.anchor))
        rows, _ = index.query(sorted(wanted), LAST)
        near = related.get(pair.unit, frozenset())
        candidates = rows.tolist()[FIRST - 1 :]
        rng.shuffle(candidates)
        # Tokenizing a passage is the costly part: the first candidate that passes is taken.
        found = next(
            (
                texts[row]
                for row in candidates
                if corpus.chunks[row].unit != pair.unit
                and corpus.chunks[row].unit not in near
                and _share(wanted, tokens(texts[row])) < SAME
            ),
            "",
        )
        out.append(replace(pair, negative=found))
        if number % 500 == 499:
            progress("negatives", number + 1, len(pairs))
    return out


def _share(wanted: set[str], held: Sequence[str]) -> float:
    return len(wanted & set(held)) / max(len(wanted), 1)


def _related(corpus: Corpus) -> Mapping[str, frozenset[str]]:
    """Return for each unit the units that cite it or that it cites."""
    found: dict[str, set[str]] = {}
    for source, target in corpus.citing:
        found.setdefault(source, set()).add(target)
        found.setdefault(target, set()).add(source)
    return {unit: frozenset(others) for unit, others in found.items()}
