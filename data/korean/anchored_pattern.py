"""Search a pattern only where a cheap anchor matches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["AnchoredPattern"]


@dataclass(frozen=True, slots=True)
class AnchoredPattern:
    """A pattern that is tried only at the places where its anchor matches.

    `re` tries a pattern that begins with a look-around at every character of a text, and one that
    begins with a set of characters only at those. The anchor begins with such a set and consumes
    one character. It must match wherever the pattern can.
    """

    anchor: re.Pattern[str]
    pattern: re.Pattern[str]

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yield the matches that `pattern.finditer(text)` yields."""
        end, match_at = 0, self.pattern.match
        for place in self.anchor.finditer(text):
            start = place.start()
            if start >= end and (match := match_at(text, start)):
                end = match.end()
                yield match
