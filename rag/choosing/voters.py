"""Value options by rules that need no model: word overlap, look-up, and reading line by line.

A voter says how much it prefers each option as the *true* one, whatever the stem's polarity. To add
a voter, write a function from `Seen` to one value for each option, add it to `TEXT_VOTERS`, and its
name to `VoterName` in `kofinlaw.rag.answer_settings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kofinlaw.data.solvers.solvers import Asked, Solvers
from kofinlaw.rag.choosing.preference import Vote
from kofinlaw.rag.choosing.text_values import bearing_of, portable_values

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


def _portable(name: str, seen: Seen) -> list[float]:
    return portable_values(seen.stem, seen.options, seen.shown, seen.passages)[name]


def _overlap(seen: Seen) -> list[float]:
    """Share of an option's bigrams that its best-matching shown text contains, 0..1."""
    return _portable("overlap", seen)


def _morphemes(seen: Seen) -> list[float]:
    """The same with content morphemes by Kiwi."""
    name = "overlap_morphemes"
    return Solvers([name]).scores(Asked(seen.stem, seen.options, seen.texts))[name]


def _look_up(seen: Seen) -> list[float]:
    """Longest verbatim run, or the run through the stem's filled blanks."""
    return _portable("look_up", seen)


def _passages(seen: Seen) -> list[float]:
    """The bigram overlap with the whole passages, of which the prompt shows parts."""
    return _portable("passages", seen)


def _reading(seen: Seen) -> list[float]:
    """Support by the best line of the whole passages, less what the line contradicts."""
    return _portable("reading", seen)


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
    known = portable_values(seen.stem, seen.options, seen.shown, seen.passages)
    votes: list[Vote] = []
    for name in sorted(set(names) & TEXT_VOTERS.keys()):
        values = known[name] if name in known else TEXT_VOTERS[name](seen)
        votes.append({"voter": name, "values": [round(value, 6) for value in values]})
    return votes


def bearing(seen: Seen) -> float:
    """Return how much the evidence bears on the question, 0..1.

    It is the share of the stem's distinct bigrams that the best-matching text contains.
    """
    return bearing_of(seen.stem, seen.texts)
