"""Value options by rules that need no model: word overlap, look-up, and reading line by line.

A voter says how much it prefers each option as the *true* one, whatever the stem's polarity. To add
a voter, write a function from `Seen` to one value for each option, add it to `TEXT_VOTERS`, and its
name to `VoterName` in `kofinlaw.rag.answer_settings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.solvers.solvers import Asked, Solvers
from kofinlaw.rag.choosing.preference import Vote
from kofinlaw.rag.reading.support import read_options

__all__ = ["ALWAYS_RECORDED", "TEXT_VOTERS", "Seen", "Voter", "bearing", "text_votes"]


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


Voter = Callable[[Seen], Sequence[float]]


def _solved(name: str, seen: Seen, texts: tuple[str, ...]) -> list[float]:
    return Solvers([name]).scores(Asked(seen.stem, seen.options, texts))[name]


def _overlap(seen: Seen) -> list[float]:
    """Share of an option's bigrams that its best-matching shown text contains, 0..1."""
    return _solved("overlap_bigrams", seen, seen.texts)


def _morphemes(seen: Seen) -> list[float]:
    """The same with content morphemes by Kiwi."""
    return _solved("overlap_morphemes", seen, seen.texts)


def _look_up(seen: Seen) -> list[float]:
    """Longest verbatim run, or the run through the stem's filled blanks."""
    return _solved("look_up", seen, seen.texts)


def _passages(seen: Seen) -> list[float]:
    """The bigram overlap with the whole passages, of which the prompt shows parts."""
    return _solved("overlap_bigrams", seen, seen.passages)


def _reading(seen: Seen) -> list[float]:
    """Support by the best line of the whole passages, less what the line contradicts."""
    return read_options(seen.stem, seen.options, seen.passages or seen.shown)


TEXT_VOTERS: dict[str, Voter] = {
    "overlap": _overlap,
    "morphemes": _morphemes,
    "look_up": _look_up,
    "passages": _passages,
    "reading": _reading,
}


# Recorded even without a weight, so that other weights can be tried on a finished run.
ALWAYS_RECORDED = frozenset({"overlap", "look_up", "passages", "reading"})


def text_votes(seen: Seen, names: Iterable[str]) -> list[Vote]:
    """Return the votes of the voters `names` that need no model; none without any text."""
    if not seen.texts:
        return []
    return [
        {"voter": name, "values": [round(value, 6) for value in TEXT_VOTERS[name](seen)]}
        for name in sorted(names)
        if name in TEXT_VOTERS
    ]


def bearing(seen: Seen) -> float:
    """Return how much the evidence bears on the question, 0..1.

    It is the share of the stem's distinct bigrams that the best-matching text contains.
    """
    stem = set(bigrams(seen.stem))
    if not stem:
        return 0.0
    best = max((len(stem & set(bigrams(text))) for text in seen.texts), default=0)
    return round(best / len(stem), 6)
