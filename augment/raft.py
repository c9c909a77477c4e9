"""Build the evidence of training prompts: the gold passage among passages that retrieval finds.

Zhang et al., RAFT (arXiv 2403.10131): train with the gold document among distractors, and without
it for a share of the examples. Passages are retrieved and packed as for answering, so the model is
trained on the prompts that it will get. Only the lines that decide the question are always kept; an
example whose evidence lacks one of them is not made.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kofinlaw.augment.reading.clauses import line_letters
from kofinlaw.augment.reading.names import normalize
from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.korean.words import bigrams, content_morphemes
from kofinlaw.data.prompting.claims import Claims
from kofinlaw.data.prompting.packing import pack_with_index
from kofinlaw.records import Chunk

__all__ = ["Evidence", "PassageIndex", "holds_phrases"]


@dataclass(frozen=True)
class Evidence:
    """Packed texts, the ids of their chunks, and whether they hold every deciding line."""

    texts: tuple[str, ...]
    chunks: tuple[str, ...]
    complete: bool


class PassageIndex:
    """The passages of the corpus, searchable by words.

    Args:
        chunks: The passages.
        count: Counts the tokens of a text as the model that will read it does.
        retrieval: Words by which passages are found: `bigram` (character bigrams) or `kiwi`
            (content morphemes).
    """

    def __init__(
        self, chunks: Sequence[Chunk], count: Callable[[str], int], retrieval: str = "bigram"
    ) -> None:
        self.chunks = list(chunks)
        self.count = count
        self._kiwi = retrieval == "kiwi"
        self._index = LexicalIndex.build(self._tokens([chunk.text for chunk in self.chunks]))
        self._grams: dict[int, frozenset[str]] = {}
        self._lines: dict[int, list[tuple[str, str]]] = {}
        self._by_unit: dict[str, list[int]] = {}
        for row, chunk in enumerate(self.chunks):
            self._by_unit.setdefault(chunk.unit, []).append(row)

    def _tokens(self, texts: Sequence[str]) -> list[list[str]]:
        if self._kiwi:
            return content_morphemes(texts)
        return [bigrams(text) for text in texts]

    def search(self, query: str, k: int) -> list[int]:
        """Return the rows of the `k` passages that match the query best, best first."""
        rows, _ = self._index.query(self._tokens([query])[0], k)
        return [int(row) for row in rows]

    def grams(self, row: int) -> frozenset[str]:
        """Return the distinct bigrams of a passage."""
        if row not in self._grams:
            self._grams[row] = frozenset(bigrams(self.chunks[row].text))
        return self._grams[row]

    def gold(self, units: Sequence[str], focus: Sequence[str]) -> list[int]:
        """Return the rows of the gold passages: at least one for each article.

        For an article in several passages it is the one with most of the deciding phrases, and then
        each one that has a phrase that no earlier one has.
        """
        out = []
        found: set[str] = set()
        for unit in units:
            parts = {row: self._phrases(row, focus) for row in self._by_unit.get(unit, [])}
            first = True
            while parts:
                best = max(parts, key=lambda row: (len(parts[row] - found), -row))
                if not first and not parts[best] - found:
                    break
                out.append(best)
                found |= parts.pop(best)
                first = False
        return out

    def _phrases(self, row: int, focus: Sequence[str]) -> set[str]:
        """Return the deciding phrases that a line of the passage holds."""
        keys = [key for _, key in self._keys(row)]
        return {phrase for phrase in focus if any(map(_finds(phrase), keys))}

    def _keys(self, row: int) -> list[tuple[str, str]]:
        """Return the lines of a passage with their letters."""
        if row not in self._lines:
            lines = self.chunks[row].text.split("\n")
            self._lines[row] = [(line, line_letters(line)) for line in lines]
        return self._lines[row]

    def _deciding_lines(self, row: int, focus: Sequence[str]) -> list[str]:
        """Return the passage's lines that hold a deciding phrase."""
        found: dict[str, None] = {}
        for phrase in focus:
            holds = _finds(phrase)
            match = next((line for line, key in self._keys(row) if holds(key)), None)
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
        claims: Claims | None = None,
    ) -> Evidence:
        """Return the evidence for a question.

        The gold passage keeps its rank from retrieval; where retrieval missed it, it is inserted
        among the first three.

        Args:
            query: The text to search for.
            units: Ids of the gold articles.
            focus: Phrases that decide the question; their lines are always kept.
            distractors: Number of other passages.
            budget_tokens: Tokens of all texts together.
            rng: Draws the rank of a gold passage that retrieval missed.
            gold_missing: Leave the gold passages out.
            claims: What the options claim; the packer shows the best line for each.
        """
        gold_parts = {row for unit in units for row in self._by_unit.get(unit, [])}
        gold = [] if gold_missing else self.gold(units, focus)
        found = self.search(query, distractors + len(gold_parts) + 1)
        ranked = [row for row in found if row in gold or row not in gold_parts]
        others = [row for row in ranked if row not in gold][:distractors]
        order = [row for row in ranked if row in gold or row in others]
        for row in gold:
            if row not in order:
                order.insert(rng.randrange(min(len(order), 2) + 1), row)
        keep = list(
            dict.fromkeys(line for row in gold for line in self._deciding_lines(row, focus))
        )
        shown = self._pack(order, query, budget_tokens, keep, claims)
        if gold and not holds_phrases(shown.values(), focus):
            shown = self._pack(gold, query, budget_tokens, keep, claims)
        chunks = tuple(self.chunks[row].id for row in shown)
        complete = holds_phrases(shown.values(), focus)
        return Evidence(tuple(shown.values()), chunks, complete)

    def retrieved(
        self, query: str, k: int, budget_tokens: int, claims: Claims | None = None
    ) -> tuple[str, ...]:
        """Return the texts of the `k` best passages, packed as for answering: no line is kept."""
        rows = self.search(query, k)
        return tuple(self._pack(rows, query, budget_tokens, [], claims).values())

    def _pack(
        self,
        order: list[int],
        query: str,
        budget_tokens: int,
        keep: list[str],
        claims: Claims | None,
    ) -> dict[int, str]:
        """Return the texts that fit the budget, by the rows of their chunks, in the given order."""
        phrases = [line[:60] for line in keep]
        passages = [self.chunks[row] for row in order]
        found = pack_with_index(
            passages, query, budget_tokens, self.count, keep=phrases, claims=claims
        )
        return {order[number]: text for number, text in found}


def holds_phrases(texts: Iterable[str], focus: Sequence[str]) -> bool:
    """Return whether each deciding phrase is in a line of the texts, by its letters and digits."""
    keys = [line_letters(line) for text in texts for line in text.split("\n")]
    return all(any(map(_finds(phrase), keys)) for phrase in focus)


def _finds(phrase: str) -> Callable[[str], bool]:
    """Return a function that says whether the letters of a line hold the phrase.

    A phrase of a raw line may hold brackets, which `line_letters` leaves out.
    """
    wanted = {normalize(phrase), line_letters(phrase)} - {""}
    return lambda key: any(text in key for text in wanted)
