"""Find long runs of letters that two texts share, so that no answer can be looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kofinlaw.augment.reading.names import normalize

__all__ = ["LONGEST_RUN", "Source", "longest_run", "shares_run"]

# Letters of Hangul and Latin and digits in a row that a question may share with its evidence.
LONGEST_RUN = 12
# The title of an act cannot be rewritten.
_TITLE = re.compile(r"「[^「」]*」")


class Source:
    """Texts to compare with, as letters and digits only; no run crosses two texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.letters = "\n".join(normalize(text) for text in texts)


def longest_run(text: str, source: Source) -> int:
    """Return the longest run of letters and digits that the text shares with the source.

    Titles of acts in 「」 do not count, and no run crosses one.
    """
    best = 0
    for part in _TITLE.split(text):
        letters = normalize(part)
        for start in range(len(letters)):
            while (
                start + best < len(letters) and letters[start : start + best + 1] in source.letters
            ):
                best += 1
    return best


def shares_run(text: str, source: Source) -> bool:
    """Return whether the text shares a run longer than `LONGEST_RUN` with the source."""
    size = LONGEST_RUN + 1
    for part in _TITLE.split(text):
        letters = normalize(part)
        if any(letters[i : i + size] in source.letters for i in range(len(letters) - size + 1)):
            return True
    return False
