"""Keep the log-probabilities of options under the prompt without content; each is scored once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kofinlaw.models.engines.base import Engine

__all__ = ["BareScore", "BareScores", "score_bare"]


@dataclass(frozen=True, slots=True)
class BareScore:
    """The summed natural log-probability of an option under the bare prompt, and its tokens."""

    text: str
    logprob: float
    tokens: int


class BareScores:
    """The bare scores of a run by option text.

    A score is kept as it was first computed, and a run that is resumed reads it again. Therefore
    answers do not depend on which questions were asked together.

    Args:
        known: Scores of an earlier process.
        record: Called with each new score, for example to write it to the disk.
    """

    def __init__(
        self, known: Iterable[BareScore] = (), record: Callable[[BareScore], None] | None = None
    ) -> None:
        self._scores: dict[str, BareScore] = {}
        for score in known:
            self._scores.setdefault(score.text, score)
        self._record = record

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Return the distinct texts without a score, sorted, so that their order never matters."""
        return sorted({text for text in texts if text not in self._scores})

    def add(self, scores: Iterable[BareScore]) -> None:
        """Keep new scores; one that is not finite is left out and asked for again."""
        for score in scores:
            if score.text not in self._scores and math.isfinite(score.logprob):
                self._scores[score.text] = score
                if self._record is not None:
                    self._record(score)

    def mean(self, text: str) -> float:
        """Return the mean log-probability of a token of the text; nan where it is not known."""
        score = self._scores.get(text)
        return math.nan if score is None else score.logprob / max(score.tokens, 1)


def score_bare(engine: Engine, bare: str, texts: Sequence[str]) -> list[BareScore]:
    """Return the scores of texts after the bare prompt, from one call of the engine.

    Raises RuntimeError where the engine returns another number of scores than it got texts.
    """
    if not texts:
        return []
    rows = engine.score([bare], [list(texts)])
    if len(rows) != 1 or len(rows[0]) != len(texts):
        raise RuntimeError(f"the engine did not score {len(texts)} texts")
    return [
        BareScore(text, score.logprob, score.tokens)
        for text, score in zip(texts, rows[0], strict=True)
    ]
