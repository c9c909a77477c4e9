"""Decide whether another passage of the corpus answers a query too, so that it is no negative.

The check is strict: a passage that may answer is left out. A wrong negative teaches a model to
rank a right passage low; a missing one costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kofinlaw.augment.generators.similarity import content_bigrams
from kofinlaw.augment.reading.names import normalize
from kofinlaw.records import Chunk

__all__ = ["COPY", "HOLDS", "AnswersToo"]

HOLDS = 0.5  # share of the query's bigrams that a passage holds, from which it may answer
COPY = 0.5  # share of the shorter text's bigrams, from which two passages say much the same
_HEADING = re.compile(r"제\d+조(?:의\d+)?\s*\(([^()\n]{2,60})\)")


class AnswersToo:
    """The check over the whole corpus.

    Args:
        chunks: All passages that a negative may come from.
        citing: Pairs of units: the first one cites the second.
    """

    def __init__(self, chunks: Sequence[Chunk], citing: Iterable[tuple[str, str]]) -> None:
        self._chunks = chunks
        # Bigrams by number: as sets of texts, those of 13,000 articles take half a GiB.
        self._numbers: dict[str, int] = {}
        self._grams: dict[int, NDArray[np.int32]] = {}
        self._linked: dict[str, set[str]] = {}
        for source, target in citing:
            self._linked.setdefault(source, set()).add(target)
            self._linked.setdefault(target, set()).add(source)

    def __call__(self, query: str, positive: int, row: int, units: Collection[str] = ()) -> bool:
        """Return whether the passage `row` may answer `query`, which the passage `positive` does.

        It may if one of these holds:

        - its unit is that of the positive, or one of `units`;
        - one of the two units cites the other;
        - its article has the heading of the positive's article;
        - it holds the query, or half of the query's bigrams;
        - it shares half of its bigrams with the positive.

        `positive` and `row` are numbers of `chunks`.
        """
        own, other = self._chunks[positive], self._chunks[row]
        if other.unit == own.unit or other.unit in units:
            return True
        if other.unit in self._linked.get(own.unit, ()):
            return True
        if (heading := _heading(own.text)) and heading == _heading(other.text):
            return True
        wanted, held = self._numbered(query), self._bigrams(row)
        if not len(wanted) or _shared(wanted, held) >= HOLDS * len(wanted):
            return True
        if normalize(query) in normalize(other.text):
            return True
        mine = self._bigrams(positive)
        return _shared(mine, held) >= COPY * min(len(mine), len(held))

    def _bigrams(self, row: int) -> NDArray[np.int32]:
        if row not in self._grams:
            _, _, body = self._chunks[row].text.partition("\n")
            self._grams[row] = self._numbered(body or self._chunks[row].text)
        return self._grams[row]

    def _numbered(self, text: str) -> NDArray[np.int32]:
        """Return the numbers of a text's bigrams, each once."""
        known = self._numbers
        found = [known.setdefault(one, len(known)) for one in content_bigrams(text)]
        return np.array(found, np.int32)


def _shared(left: NDArray[np.int32], right: NDArray[np.int32]) -> int:
    return int(np.intersect1d(left, right, assume_unique=True).size)


def _heading(text: str) -> str:
    """Return the heading of a passage's article, without blanks; empty if there is none."""
    match = _HEADING.search(text.partition("\n")[0])
    return re.sub(r"\s", "", match.group(1)) if match else ""
