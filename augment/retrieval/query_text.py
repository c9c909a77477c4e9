"""Clean the text of a query: without what names the act, the article or the paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LONGEST", "SHORTEST", "Query", "without_citations", "without_place"]

SHORTEST, LONGEST = 15, 250  # characters of a query that is a sentence
_MARK = re.compile(r"^\s*(?:[①-⑳]|\d{1,2}(?:의\d+)?\.|[가-하]\.|\d{1,2}\))\s*")
_BLANKS = re.compile(r"\s{2,}")
# What a removed citation leaves at the start of a sentence.
_LEFT_OVER = re.compile(
    r"^(?:(?:및|또는|과|와|ㆍ|,|의 ?규정은|(?:의 ?규정)?에 ?(?:의한|따른|의하여|따라)"
    r"|[은는이가을를의에])(?=[ ㆍ,]) ?)+"
)
# The names of acts, articles and paragraphs that would give the passage away.
# `제1호가목`, `나목`; not the end of `항목`, `영리목적`.
_WHERE = re.compile(
    r"[「」]|제\d+조(?:의\d+)?|제\d+[항호]"
    r"|(?:(?<=호)|(?<![가-힣]))[가나다라마바사아자차카타파하]목(?!적)|별표 ?\d*"
)
# What a removed citation leaves in the middle: `위원회는 에 따라`, `법 에 따른`, `부터 까지에서`.
_REST = re.compile(
    r"(?:^|(?<=\s))(?:(?:법|영|같은 [법조항]) )?(?:부터 ?)?(?:까지)?(?:의 규정)?에(?:서)? ?"
    r"(?:따라|따른|의하여|의한|의해|도 불구하고,?|규정된|규정한|정한|해당하는) "
    r"|^(?:법|영) 에서 "
)


@dataclass(frozen=True, slots=True)
class Query:
    """A question, the unit that answers it, and words of the unit's passage that answer it."""

    text: str
    unit: str
    focus: str


def without_place(sentence: str) -> str:
    """Return a sentence without its mark and without what names act, article or paragraph."""
    text = _BLANKS.sub(" ", _WHERE.sub("", _MARK.sub("", sentence))).strip()
    return _LEFT_OVER.sub("", text).strip()


def without_citations(sentence: str) -> str:
    """Return `without_place`, and without what removed citations leave in the middle."""
    return _BLANKS.sub(" ", _REST.sub("", without_place(sentence))).strip()
