"""Keep the questions of protected evaluation sets out of the training examples."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.augment.reading.names import normalize
from kofinlaw.data.cleaning import contamination
from kofinlaw.data.cleaning.question_copies import QuestionCopies

__all__ = ["RUN", "ProtectedTexts"]

# A common run of this many letters and digits is a copy. Shorter ones are how all statute questions
# begin (「…법」에 관한 설명으로 옳지 않은 것은).
RUN = 32


class ProtectedTexts:
    """The texts of evaluation questions, searched by runs of letters and by character n-grams.

    The parts of a question (stem, options) are on lines of their own, so that an example with the
    same parts in another order is found too.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(texts)
        self._grams = contamination.ProtectedTexts(texts)
        self._copies = QuestionCopies(texts)
        self._runs = {
            key[i : i + RUN]
            for text in texts
            if (key := normalize(text))
            for i in range(len(key) - RUN + 1)
        }

    def shared_run(self, text: str) -> str:
        """Return the first run that a text shares with a protected one;
        empty where there is none.
        """
        if not self._runs:
            return ""
        key = normalize(text)
        runs = (key[i : i + RUN] for i in range(len(key) - RUN + 1))
        return next((run for run in runs if run in self._runs), "")

    def copied_part(self, question: str, rest: str) -> str:
        """Return what a question with its options or answer (`rest`) copies; empty for none.

        A common run is searched in the question only.
        """
        return self.shared_run(question) or self.contained_text(f"{question}\n{rest}")

    def contained_text(self, text: str) -> str:
        """Return the first 80 characters of a protected text that `text` mostly contains;
        else empty.
        """
        found = self._copies.held_by(text) or self._grams.held_by(text)
        if found is None or found[1] < contamination.THRESHOLD:
            return ""
        return self._texts[found[0]][:80]
