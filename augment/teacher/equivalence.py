"""Check by rule that two texts mean the same: figures, articles, parties and polarity.

Every check compares both directions: the new text may neither lose nor add anything. Words are not
compared, because a paraphrase uses others; a model checks the rest.
"""

from __future__ import annotations

import re
from collections import Counter

from kofinlaw.augment.reading.endings import read_ending
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.teacher.support import Verdict, plain_ending
from kofinlaw.data.korean.quantities import read_quantities
from kofinlaw.data.law.actors import read_actors
from kofinlaw.data.prompting.stems import is_negative

__all__ = ["equivalence"]

_CITATION = re.compile(r"(?:제\d+(?:조(?:의\d+)?|항|호))+")
_ACT = re.compile(r"「([^「」]+)」")
_NUMBER = re.compile(r"\d+")
_BLANK = re.compile(r"\(\s*\)")
_NEGATION = re.compile(r"아니|않|없|못|금지|제외|거부|면제|취소|안 된다|안 되")


def equivalence(first: str, second: str, *, question: bool = False) -> list[Verdict]:
    """Return the verdicts of all checks of a text and its paraphrase.

    With `question` both are questions, and their polarity is that of the stem (옳지 않은 것은).
    """
    return [
        _same("same_figures", _figures(first), _figures(second)),
        _no_new_citation(first, second),
        _same("same_parties", _parties(first), _parties(second)),
        _polarity(first, second, question=question),
    ]


def _same(check: str, first: Counter[str], second: Counter[str]) -> Verdict:
    lost, added = first - second, second - first
    detail = " ".join([*(f"-{text}" for text in lost), *(f"+{text}" for text in added)])
    return Verdict(check, not lost and not added, detail)


def _figures(text: str) -> Counter[str]:
    """Return the quantities with bound and direction, each once, and the other numbers."""
    bare = _CITATION.sub(" ", text)
    found = set()
    rest = bare
    for quantity in read_quantities(bare):
        parts = quantity.dimension, round(quantity.value, 6), quantity.bound, quantity.direction
        found.add(" ".join(str(part) for part in parts if part != ""))
        start, end = quantity.start, quantity.end
        rest = rest[:start] + " " * (end - start) + rest[end:]
    # The bound of a blank belongs to the answer: (   ) 이내.
    found |= set(_NUMBER.findall(_BLANK.sub(" ", rest)))
    return Counter(found)


def _no_new_citation(first: str, second: str) -> Verdict:
    """Check that the paraphrase cites nothing that the original does not cite; it may drop it."""
    held = {*_CITATION.findall(first), *map(normalize, _ACT.findall(first))}
    said = {*_CITATION.findall(second), *map(normalize, _ACT.findall(second))}
    return Verdict("same_articles", said <= held, " ".join(sorted(said - held)))


def _parties(text: str) -> Counter[str]:
    """Return the parties and offices that a text names, each once.

    Roles are not compared: `은행에 통지한다` and `은행이 통지를 받는다` mean the same.
    """
    return Counter({actor.name for actor in read_actors(_ACT.sub(" ", text))})


def _polarity(first: str, second: str, *, question: bool) -> Verdict:
    """Check that both texts bind, allow or forbid alike and deny equally often."""
    if question:
        same = is_negative(first) == is_negative(second)
        return Verdict("same_polarity", same, "" if same else second[-30:])
    endings = [read_ending(plain_ending(text)) for text in (first, second)]
    if endings[0] and endings[1] and endings[0].sense != endings[1].sense:
        return Verdict("same_polarity", False, f"{endings[0].text} / {endings[1].text}")
    counts = [len(_NEGATION.findall(text)) for text in (first, second)]
    return Verdict("same_polarity", counts[0] == counts[1], f"{counts[0]} / {counts[1]}")
