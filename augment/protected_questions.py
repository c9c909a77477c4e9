"""Keeps questions of protected evaluation sets out of what is trained on."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.augment.generators.names import normal
from kofinlaw.data.cleaning import contamination

# A run of this many letters and digits in common is a copy; shorter ones are how all statute
# questions begin (「…법」에 관한 설명으로 옳지 않은 것은).
RUN = 32


class Protected:
    """The protected texts as runs of letters, searched by a question's own runs."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(texts)
        self._grams = contamination.Protected(texts)
        self._runs = {
            key[i : i + RUN]
            for text in texts
            if (key := normal(text))
            for i in range(len(key) - RUN + 1)
        }

    def shared(self, text: str) -> str:
        """The first run a text shares with a protected one, empty where there is none."""
        if not self._runs:
            return ""
        key = normal(text)
        runs = (key[i : i + RUN] for i in range(len(key) - RUN + 1))
        return next((run for run in runs if run in self._runs), "")

    def held(self, text: str) -> str:
        """The protected text that stands mostly in a text (character n-grams), empty for none."""
        found = self._grams.held_by(text)
        if found is None or found[1] < contamination.THRESHOLD:
            return ""
        return self._texts[found[0]][:80]
