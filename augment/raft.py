"""Evidence for training prompts: the gold passage among those retrieval would bring.

Zhang et al., RAFT (arXiv 2403.10131): train with the gold document among distractors, for a
share of the examples without it. Passages are retrieved and packed as at answering, so the model
learns on what it will be shown; only the line that decides is kept by force.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kofinlaw.augment.generators.clauses import clean, simplify
from kofinlaw.augment.generators.names import normal
from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.prompting.packing import pack_with_index
from kofinlaw.records import Chunk


@dataclass(frozen=True)
class Evidence:
    """Packed texts, the chunks they come from, and whether every deciding line is in them."""

    texts: tuple[str, ...]
    chunks: tuple[str, ...]
    whole: bool


class Shelf:
    """The corpus's passages, searchable. `count` counts tokens of the model that will read."""

    def __init__(
        self, chunks: Sequence[Chunk], count: Callable[[str], int], retrieval: str = "bigram"
    ) -> None:
        self.chunks = list(chunks)
        self.count = count
        self._kiwi = retrieval == "kiwi"
        self._index = LexicalIndex.build(self._tokens([chunk.text for chunk in self.chunks]))
        self._grams: dict[int, frozenset[str]] = {}
        self._rows: dict[int, list[tuple[str, str]]] = {}
        self._by_unit: dict[str, list[int]] = {}
        for place, chunk in enumerate(self.chunks):
            self._by_unit.setdefault(chunk.unit, []).append(place)

    def _tokens(self, texts: Sequence[str]) -> list[list[str]]:
        if self._kiwi:
            from kofinlaw.data.korean.words import content_morphemes

            return content_morphemes(texts)
        return [bigrams(text) for text in texts]

    def search(self, query: str, k: int) -> list[int]:
        """Places of the passages most like the query, best first."""
        places, _ = self._index.query(self._tokens([query])[0], k)
        return [int(place) for place in places]

    def grams(self, place: int) -> frozenset[str]:
        """The distinct bigrams of a passage."""
        if place not in self._grams:
            self._grams[place] = frozenset(bigrams(self.chunks[place].text))
        return self._grams[place]

    def gold(self, units: Sequence[str], focus: Sequence[str]) -> list[int]:
        """The gold passages: of a split article, the part that holds most of the deciding lines."""
        out = []
        for unit in units:
            parts = self._by_unit.get(unit, [])
            if parts:
                out.append(max(parts, key=lambda p: (len(self._lines(p, focus)), -p)))
        return out

    def _lines(self, place: int, focus: Sequence[str]) -> list[str]:
        """The passage's lines that hold a deciding phrase."""
        found: dict[str, None] = {}
        if place not in self._rows:
            rows = self.chunks[place].text.split("\n")
            self._rows[place] = [(row, normal(simplify(clean(row))[0])) for row in rows]
        for phrase in focus:
            wanted = normal(phrase)
            match = next((row for row, key in self._rows[place] if wanted in key), None)
            if match:
                found[match.strip()] = None
        return list(found)

    def evidence(
        self,
        query: str,
        units: Sequence[str],
        focus: Sequence[str],
        *,
        distractors: int,
        budget_tokens: int,
        rng: random.Random,
        gold_missing: bool = False,
    ) -> Evidence:
        """Passages for a question; without the gold ones where `gold_missing`.

        The gold passage stands where retrieval put it, or at a drawn place where it was missed.
        """
        barred = {place for unit in units for place in self._by_unit.get(unit, [])}
        gold = [] if gold_missing else self.gold(units, focus)
        found = self.search(query, distractors + len(barred) + 1)
        ranked = [place for place in found if place in gold or place not in barred]
        others = [place for place in ranked if place not in gold][:distractors]
        order = [place for place in ranked if place in gold or place in others]
        for place in gold:
            if place not in order:
                order.insert(rng.randrange(min(len(order), 2) + 1), place)
        keep = [line for place in gold for line in self._lines(place, focus)]
        shown = self._pack(order, query, budget_tokens, keep)
        if gold and not _holds(shown.values(), keep):
            shown = self._pack(gold, query, budget_tokens, keep)
        chunks = tuple(self.chunks[place].id for place in shown)
        return Evidence(tuple(shown.values()), chunks, _holds(shown.values(), keep))

    def _pack(self, order: list[int], query: str, budget: int, keep: list[str]) -> dict[int, str]:
        """The texts that fit by their chunks' places, in the order given."""
        phrases = [line[:60] for line in keep]
        passages = [self.chunks[place] for place in order]
        found = pack_with_index(passages, query, budget, self.count, keep=phrases)
        return {order[number]: text for number, text in found}


def _holds(texts: Iterable[str], lines: Sequence[str]) -> bool:
    shown = "\n".join(texts)
    return all(line[:60] in shown for line in lines)
