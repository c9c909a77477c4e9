"""Score how much the passages of an index bear on a question, on one scale for all questions.

The fused score of retrieval is normalised for each query, so its best passage always has about 1.
This score is absolute. For one passage it adds three parts:

- the cosine of its vector, in units of the corpus's own spread of cosines;
- the share of the question's words that the passage holds, weighted by rarity (BM25 without the
  scale of a query);
- the share of them in its title and heading.

The best passage counts, because the words must meet in one place. A part of the mean cosine over
all passages is subtracted: some questions are near to every text. Names in the question that no
passage has are subtracted too (`names.py`). Without vectors the first and the last part are absent:
there a missing name already lowers the share of words. The weights were measured, see
docs/studies/abstention.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.rag.abstention.names import NameHolders
from kofinlaw.rag.abstention.question_words import question_words
from kofinlaw.rag.arrays import Mask, Vectors
from kofinlaw.records import Chunk

__all__ = ["Passages", "Score"]

RARITY_POWER = 0.7  # softens the weight of rare words: a word of the user's own is the rarest
ENOUGH = 0.5  # a passage that holds this much of a word has all of it
HEADING = 0.5  # weight of the words in title and heading
COMMON = 0.3  # part of the mean cosine that is subtracted
SPREADS = 2.0  # a cosine that is larger by this many spreads counts as much as all words
_CANDIDATES = 40  # passages of each kind whose headings are read
_BLANKS = re.compile(r"\s")


@dataclass(frozen=True)
class Score:
    """How much the passages bear on a question.

    - `value` is the sum that is compared with the floor (no unit).
    - `words` is the share of the question's words in the best passage, `heading` that in its title
      and heading, both 0..1; `cosine` is its cosine (None without vectors).
    - `missing` is what names without a passage subtract from the sum.
    - `rows` are the best passages, best first.
    """

    value: float
    words: float
    heading: float
    cosine: float | None
    missing: float
    rows: tuple[int, ...]


class Passages:
    """Scores questions against the passages of one index.

    Args:
        chunks: The passages, by row.
        lexical: The lexical index of the same passages.
        kind: Its tokens, `kiwi` or `bigram`.
        vectors: float32 [passages, dimensions]; None without an embedder.
        spread: Standard deviation of the cosines between questions and passages (no unit);
            ignored without vectors.
        name_weight: Weight of the names that no passage has.
    """

    def __init__(
        self,
        chunks: Sequence[Chunk],
        lexical: LexicalIndex,
        kind: str,
        vectors: Vectors | None,
        spread: float,
        name_weight: float = 0.0,
    ) -> None:
        self.chunks = chunks
        self.kind = kind
        self.vectors = vectors
        self.spread = spread
        self._lexical = lexical
        self._name_weight = name_weight
        self._names = NameHolders(chunks) if name_weight else None

    def score(
        self, question: str, vector: Vectors | None = None, shown: Mask | None = None
    ) -> Score:
        """Return how much the passages bear on the question.

        Args:
            question: The question's text, without options.
            vector: Its vector [dimensions]; needed where the index has vectors.
            shown: The passages that may be found, one bool for each; None: all.
        """
        count = len(self.chunks) if shown is None else int(shown.sum())
        if count == 0:
            return Score(0.0, 0.0, 0.0, None, 0.0, ())
        weights, words = self._words(question, count, shown)
        cosines = None if vector is None or self.vectors is None else self.vectors @ vector
        total = words.copy()
        if cosines is not None:
            common = float((cosines if shown is None else cosines[shown]).mean())
            total += (cosines - COMMON * common) / (SPREADS * self.spread)
        if shown is not None:
            total[~shown] = -math.inf
        rows = _best(total, _CANDIDATES)
        if cosines is not None:
            rows = np.union1d(rows, _best(np.where(np.isfinite(total), words, -1), _CANDIDATES))
        headings = np.array([_heading_share(self.chunks[row], weights) for row in rows])
        total[rows] += HEADING * headings
        ranked = rows[np.lexsort((rows, -total[rows]))]
        best = int(ranked[0])
        missing = 0.0
        if self._names is not None:
            missing = self._name_weight * self._names.missing(question, shown)
        return Score(
            value=round(float(total[best]) - missing, 6),
            words=round(float(words[best]), 4),
            heading=round(float(headings[np.flatnonzero(rows == best)[0]]), 4),
            cosine=None if cosines is None else round(float(cosines[best]), 4),
            missing=round(missing, 4),
            rows=tuple(int(row) for row in ranked[:3]),
        )

    def _words(
        self, question: str, count: int, shown: Mask | None
    ) -> tuple[dict[str, float], NDArray[np.float64]]:
        """Return the weight of each word, and the share of the words in each passage."""
        shares = np.zeros(len(self.chunks))
        weights: dict[str, float] = {}
        for word, weight in question_words(question, self.kind).items():
            rows, held = self._lexical.postings(word)
            known = len(rows) if shown is None else int(shown[rows].sum())
            rarity = math.log(1 + (count + 0.5) / (known + 0.5))
            weights[word] = weight * rarity**RARITY_POWER
            shares[rows] += weights[word] * np.minimum(1.0, held / ENOUGH)
        return weights, shares / (sum(weights.values()) or 1.0)


def _best(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return the rows of the largest values, ties by row; rows without a value are left out."""
    rows = np.arange(len(values)) if len(values) <= count else np.argpartition(-values, count)
    chosen = rows[:count] if len(values) > count else rows
    chosen = chosen[np.isfinite(values[chosen])]
    return np.sort(chosen).astype(np.int64)


def _heading_share(chunk: Chunk, weights: Mapping[str, float]) -> float:
    """Return the share of the words in the passage's title and heading."""
    heading = _BLANKS.sub("", (chunk.text.partition("\n")[0] + chunk.unit).lower())
    total = sum(weights.values())
    found = sum(weight for word, weight in weights.items() if word in heading)
    return found / total if total else 0.0
