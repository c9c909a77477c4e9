"""Find the slots of a legal sentence (figure, bound, actor, act …) and count contradictions.

Options of an exam often copy a provision and change one slot. Two sentences contradict each other
in a slot if both fill it and the first one has a value that the second one does not have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kofinlaw.data.korean.quantities import Quantity, read_quantities
from kofinlaw.data.law.actors import read_actors

__all__ = ["SLOT_KINDS", "Slots", "contradictions", "find_slots"]

SLOT_KINDS = (
    "figure",
    "bound",
    "instrument",
    "act",
    "actor",
    "subject",
    "frequency",
    "universal",
    "negation",
)

_DOTS = str.maketrans({"⋅": "ㆍ", "·": "ㆍ", "･": "ㆍ", "‧": "ㆍ", "∙": "ㆍ"})
_INSTRUMENT = re.compile(r"(대통령령|총리령|[가-힣]{2,10}부령|조례|대법원규칙|국회규칙|고시|정관)")
_ACT = re.compile(
    r"[「『'‘\"“]\s*([가-힣ㆍ\s]{1,40}?(?:법률|법|법 시행령|법 시행규칙|규정))\s*[」』'’\"”]"
)
_FREQUENCY = re.compile(
    r"(매년|매월|매분기|매반기|분기별|반기별|(?<!\d)\d+\s*(?:년|개월)마다|수시로|즉시|지체\s*없이)"
)
_UNIVERSAL = re.compile(
    r"(모든|전부|항상|언제나|반드시|어떠한\s*경우|예외\s*없이|무조건|오직|에\s*한하여|에\s*한정|만을|"
    r"(?<!다)만(?=\s))"
)
_NEGATION = re.compile(
    r"(않아도|아니하여도|없이|없다|없는|않는|아니하|않은|아니한|않다|무시|면제|불필요|금지|제외|무관|"
    r"못하|못한|아니\s*된다|안\s*된다|안된다)"
)


@dataclass(frozen=True, slots=True)
class Slots:
    """The values of a sentence by slot.

    - `quantities` are the figures with their bounds.
    - `instruments` are what delegates (`대통령령`), `acts` the titles in quotes.
    - `actors` are persons and bodies, `subjects` those of them that act.
    - `frequencies` are words such as `매년`.
    - `universal` and `negative` say whether the sentence has such a word.
    """

    quantities: tuple[Quantity, ...]
    instruments: frozenset[str]
    acts: frozenset[str]
    actors: frozenset[str]
    subjects: frozenset[str]
    frequencies: frozenset[str]
    universal: bool
    negative: bool


@lru_cache(maxsize=50_000)
def find_slots(text: str) -> Slots:
    """Return the slots of a sentence."""
    text = text.translate(_DOTS)
    actors = read_actors(text)
    return Slots(
        tuple(read_quantities(text)),
        frozenset(_INSTRUMENT.findall(text)),
        frozenset("".join(title.split()) for title in _ACT.findall(text)),
        frozenset(actor.name for actor in actors),
        frozenset(actor.name for actor in actors if actor.role == "agent"),
        frozenset("".join(word.split()) for word in _FREQUENCY.findall(text)),
        bool(_UNIVERSAL.search(text)),
        bool(_NEGATION.search(text)),
    )


def contradictions(statement: str, line: str) -> Mapping[str, int]:
    """Return by kind (`SLOT_KINDS`) how many slots of the statement the line contradicts.

    `universal` and `negation` are 1 if only the statement has such a word: it claims more than the
    line, or denies it.
    """
    said, shown = find_slots(statement), find_slots(line)
    packed = "".join(line.translate(_DOTS).split())

    def absent(words: frozenset[str], others: frozenset[str]) -> int:
        return sum(word not in packed for word in words) if others else 0

    figures, bounds = _other_quantities(said.quantities, shown.quantities)
    return {
        "figure": figures,
        "bound": bounds,
        "instrument": absent(said.instruments, shown.instruments),
        "act": absent(said.acts, shown.acts),
        "actor": absent(said.actors, shown.actors),
        "subject": sum(actor in shown.actors - shown.subjects for actor in said.subjects)
        if shown.subjects
        else 0,
        "frequency": absent(said.frequencies, shown.frequencies),
        "universal": int(said.universal and not shown.universal),
        "negation": int(said.negative and not shown.negative),
    }


def _other_quantities(said: Sequence[Quantity], shown: Sequence[Quantity]) -> tuple[int, int]:
    """Return how many quantities that are said have another value in what is shown, and how many
    have the same value with another bound.
    """
    values = bounds = 0
    for one in said:
        others = [other for other in shown if other.family == one.family]
        same = [other for other in others if one.same_value(other)]
        values += bool(others) and not same
        bounds += bool(same) and not any(one.agrees(other) for other in same)
    return values, bounds
