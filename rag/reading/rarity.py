"""Weigh character bigrams by their rarity among texts.

The contest's script copies this module, so it imports only what that machine has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable

__all__ = ["Rarity"]


class Rarity:
    """The weight of a bigram: log(1 + n / (1 + the number of the n texts that have it))."""

    def __init__(self, rows: Collection[Collection[str]]) -> None:
        """Count the bigrams of the texts; each row has the distinct bigrams of one text."""
        seen = Counter(gram for row in rows for gram in row)
        total = len(rows)
        self._weights = {gram: math.log(1 + total / (1 + count)) for gram, count in seen.items()}
        self._unseen = math.log(1 + total)

    def weights(self, grams: Iterable[str]) -> dict[str, float]:
        """Return the weights of distinct bigrams, sorted by bigram.

        The order is fixed because the sum of floats depends on it.
        """
        return {gram: self._weights.get(gram, self._unseen) for gram in sorted(grams)}

    def total(self, grams: Iterable[str]) -> float:
        """Return the sum of the weights of distinct bigrams."""
        return sum(self.weights(grams).values())
