"""Read the names of things in a text, and measure which names of a question no passage has.

Users say general words (`물건`, `끌어다`) that no passage has. That says little.
A long name that no passage has (`육아휴직`, `사고부담금`) says that the documents are about
other subjects. So a missing name counts by its length in syllables, and a missing verb does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from kofinlaw.data.korean.words import tag_text
from kofinlaw.rag.abstention.question_words import ASKING
from kofinlaw.rag.arrays import Mask
from kofinlaw.records import Chunk

__all__ = ["NameHolders", "names_of"]

Name = tuple[str, ...]  # the nouns of one name: `("육아", "휴직")`
_NOUNS = frozenset(["NNG", "NNP", "SL", "XSN", "XPN", "XR"])
_LONGEST = 4  # syllables; a longer name does not say more
_MOST = 2.5  # of all names together: a long question has more names
_NOT_TOGETHER = 2  # length of a name whose nouns are known, but not from one passage
_BLANKS = re.compile(r"\s")


def names_of(text: str) -> list[Name]:
    """Return the names of things in a text, in order: nouns without a blank between them."""
    spans: list[list[tuple[int, int]]] = []
    for _, tag, start, end in tag_text(text):
        if tag not in _NOUNS:
            continue
        if spans and spans[-1][-1][1] == start:
            spans[-1].append((start, end))
        else:
            spans.append([(start, end)])
    return [tuple(text[start:end] for start, end in one) for one in spans]


class NameHolders:
    """Knows which passages of an index hold a name, in any spacing and case.

    Args:
        chunks: The passages, by row.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._texts = [_BLANKS.sub("", chunk.text + chunk.unit).lower() for chunk in chunks]
        self._known: dict[str, Mask] = {}

    def missing(self, question: str, shown: Mask | None = None) -> float:
        """Return how much the names that no passage has speak against an answer, 0 to 2.5.

        Args:
            question: The question's text, without options.
            shown: The passages that count, one bool for each; None: all.
        """
        lengths = (self._missing_length(name, shown) for name in dict.fromkeys(names_of(question)))
        return min(_MOST, sum(max(0, min(length, _LONGEST) - 1) / 2 for length in lengths))

    def _missing_length(self, name: Name, shown: Mask | None) -> int:
        """Return the syllables of a name that no passage has; 0 for a known name."""
        if "".join(name) in ASKING or self._holders("".join(name), shown).any():
            return 0
        nouns = [noun for noun in name if noun not in ASKING]
        holders = [self._holders(noun, shown) for noun in nouns]
        missing = sum(
            len(noun) for noun, held in zip(nouns, holders, strict=True) if not held.any()
        )
        if missing or len(nouns) < 2 or np.logical_and.reduce(holders).any():
            return missing
        return _NOT_TOGETHER

    def _holders(self, name: str, shown: Mask | None) -> Mask:
        key = name.lower()
        held = self._known.get(key)
        if held is None:
            held = np.array([key in text for text in self._texts], dtype=bool)
            if len(self._known) < _KEPT_NAMES:
                self._known[key] = held
        return held if shown is None else held & shown


_KEPT_NAMES = 4096
