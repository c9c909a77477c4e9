"""Read what sentences oblige, permit, forbid or negate, in any style of ending.

The morphemes decide, so `보고하여야 한다`, `보고해야 합니다` and `보고할 의무가 있다` are the same.
`augment/reading/endings.py` reads only the endings of statutes, because it also rewrites them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["INCOMPATIBLE", "Modality", "Sense", "Token", "read_modalities"]

Token = tuple[str, str, int, int]  # form, part of speech, start, end: a row of `words.tag_text`
Sense = Literal["duty", "may", "not", "exempt", "negated"]

# `exempt` is 하지 아니할 수 있다: it goes with a permission, but not with a duty.
INCOMPATIBLE: dict[Sense, frozenset[Sense]] = {
    "duty": frozenset({"may", "not", "exempt", "negated"}),
    "may": frozenset({"duty", "not", "negated"}),
    "not": frozenset({"duty", "may", "exempt"}),
    "exempt": frozenset({"duty", "not"}),
    "negated": frozenset({"duty", "may"}),
}
# Kiwi's parts of speech by their first letters, in one letter.
_CLASSES = {
    **dict.fromkeys(("NN", "XR", "SL", "SN", "XSN"), "N"),
    **dict.fromkeys(("V", "XSV", "XSA"), "V"),
    **dict.fromkeys(("MA", "IC"), "M"),
    "E": "E",
    "J": "J",
}
_HEAD = (
    r"(?<![^ /])(?:(?P<noun>[^ /]+)/N (?:[^ /]+/J )?(?:하|되|시키|받|당하)/V |(?P<verb>[^ /]+)/V )"
    r"(?:(?:게|도록|어)/E (?:하|주|있|두|놓)/V )?"
)
_NEG = r"지/E (?:아니하/V|않/V|말/V|아니/M 하/V) "
_CAN = r"(?:ᆯ|을)/E 수/N (?:[^ /]+/J )?"
_BAD = r"(?:아니|안)/M 되/V "
_FORMS: tuple[tuple[Sense, str], ...] = (
    ("duty", rf"{_HEAD}{_NEG}(?:면|으면)/E {_BAD}"),
    ("exempt", rf"{_HEAD}{_NEG}(?:{_CAN}있/V |어도/E (?:되|좋)/V )"),
    ("exempt", rf"{_HEAD}(?:ᆯ|을)/E (?:필요|의무)/N (?:[^ /]+/J )?없/V "),
    ("not", rf"{_HEAD}{_NEG}어야/E (?:하|되)/V "),
    ("not", rf"{_HEAD}(?:{_CAN}없/V |어서/E 는/J {_BAD}|(?:면|으면)/E {_BAD}|지/E 못하/V )"),
    ("not", rf"{_HEAD}(?:는/E 것/N )?(?:[^ /]+/J )?금지/N (?:되|하)/V "),
    ("not", r"(?<![^ /])(?P<noun>[^ /]+)/N (?P<verb>(?!))?(?:[^ /]+/J )?금지/N (?:되|하)/V "),
    ("duty", rf"{_HEAD}(?:어야/E (?:하|되)/V |(?:ᆯ|을)/E 의무/N (?:[^ /]+/J )?있/V )"),
    ("may", rf"{_HEAD}(?:{_CAN}있/V |어도/E (?:되|좋|무방하)/V )"),
    ("negated", rf"{_HEAD}{_NEG}(?:ᆫ다|는다|다|며|으며|고|습니다|ᆸ니다|어요)/E "),
)
_PATTERNS = tuple((sense, re.compile(form)) for sense, form in _FORMS)


@dataclass(frozen=True, slots=True)
class Modality:
    """A predicate (its noun, or the stem of its verb) and what the sentence says of it."""

    head: str
    sense: Sense


def read_modalities(tokens: Sequence[Token]) -> list[Modality]:
    """Return the obliged, permitted, forbidden and negated predicates of a text, in order.

    `tokens` are those of `words.tag_text`. A predicate without such an ending is left out.
    """
    line = "".join(f"{form}/{_class_of(tag)} " for form, tag, _, _ in tokens)
    found: list[tuple[int, Modality]] = []
    taken: list[tuple[int, int]] = []
    for sense, pattern in _PATTERNS:
        for match in pattern.finditer(line):
            if all(match.end() <= start or match.start() >= end for start, end in taken):
                taken.append(match.span())
                head = match["noun"] or match["verb"]
                found.append((match.start(), Modality(head, sense)))
    return [modality for _, modality in sorted(found, key=lambda pair: pair[0])]


def _class_of(tag: str) -> str:
    return next((letter for start, letter in _CLASSES.items() if tag.startswith(start)), "X")
