"""Value options by rules that need no model: word overlap, look-up, and reading line by line.

A voter says how much it prefers each option as the *true* one, whatever the stem's polarity. To add
a voter, compute its values in `portable_values` (in `text_votes` if it needs Kiwi), and add its
name to `TEXT_VOTERS` and to `VoterName` in `kofinlaw.rag.answer_settings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kofinlaw.data.solvers.solvers import Asked, Solvers
from kofinlaw.rag.choosing.preference import Vote
from kofinlaw.rag.choosing.text_values import bearing_of, portable_values

__all__ = ["ALWAYS_RECORDED", "TEXT_VOTERS", "Seen", "bearing", "text_votes"]


@dataclass(frozen=True)
class Seen:
    """What a voter sees of a question.

    `shown` are the texts of the evidence as the prompt shows them, `passages` the whole passages
    that were found, both best first. A plan that shows no evidence leaves `shown` empty.
    """

    stem: str
    options: tuple[str, ...]
    shown: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The shown texts, or the passages where none is shown."""
        return self.shown or self.passages


# Recorded even without a weight, so that other weights can be tried on a finished run.
ALWAYS_RECORDED = frozenset({"overlap", "look_up", "passages", "reading"})
TEXT_VOTERS = ALWAYS_RECORDED | {"morphemes"}


def text_votes(seen: Seen, names: Iterable[str]) -> list[Vote]:
    """Return the votes of the voters `names` that need no model; none without any text."""
    if not seen.texts:
        return []
    wanted = sorted(set(names) & TEXT_VOTERS)
    values = portable_values(seen.stem, seen.options, seen.shown, seen.passages)
    if "morphemes" in wanted:
        values["morphemes"] = _morphemes(seen)
    return [{"voter": name, "values": values[name]} for name in wanted]


def _morphemes(seen: Seen) -> list[float]:
    """Return the overlap with content morphemes by Kiwi, rounded."""
    name = "overlap_morphemes"
    scores = Solvers([name]).scores(Asked(seen.stem, seen.options, seen.texts))[name]
    return [round(value, 6) for value in scores]


def bearing(seen: Seen) -> float:
    """Return how much the evidence bears on the question, 0..1.

    It is the share of the stem's distinct bigrams that the best-matching passage contains; without
    passages, the best-matching shown text. It does not depend on the lines that are shown, because
    those are selected for the options.
    """
    return bearing_of(seen.stem, seen.passages or seen.shown)
