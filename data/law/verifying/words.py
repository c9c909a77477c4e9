"""Compare words without blanks, dots and quotation marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["close_words", "holds_words", "letters", "without_brackets"]

_CLOSE = 0.85  # share of the pairs
_NO_LETTER = re.compile(r"[\W_ㆍ]+")
_BRACKET = re.compile(r"\([^()]*\)")
_OMITTED = re.compile(r"…+|\.{3,}|⋯+|·{3,}|ㆍ{3,}|\((?:중략|생략|전략|후략)\)|[~∼～]+")


def letters(text: str) -> str:
    """Return the letters and digits of a text."""
    return _NO_LETTER.sub("", text)


def without_brackets(text: str) -> str:
    """Return the text without what lies in round brackets, two levels deep."""
    return _BRACKET.sub("", _BRACKET.sub("", text))


def holds_words(text: str, quoted: str) -> bool:
    """Return whether a text contains quoted words, in their order where some are left out.

    Brackets of the law may be left out without a mark, as courts do.
    """
    parts = list(_parts(quoted))
    return _in_order(letters(text), parts) or _in_order(
        letters(without_brackets(text)), [letters(without_brackets(part)) for part in parts]
    )


def close_words(text: str, quoted: str) -> bool:
    """Return whether nearly all pairs of letters of the quoted words are in the text.

    Courts join the opening words of an article with one of its 호 in this way.
    """
    known, wanted = letters(text), letters(quoted)
    pairs = {known[place : place + 2] for place in range(len(known) - 1)}
    same = [wanted[place : place + 2] in pairs for place in range(len(wanted) - 1)]
    return bool(same) and sum(same) / len(same) >= _CLOSE


def _parts(quoted: str) -> Iterator[str]:
    for part in _OMITTED.split(quoted):
        if letters(part):
            yield letters(part)


def _in_order(text: str, parts: list[str]) -> bool:
    place = 0
    for part in parts:
        place = text.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True
