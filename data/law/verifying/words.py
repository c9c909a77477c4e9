"""Compare words without blanks, dots and quotation marks."""

from __future__ import annotations

import re

from kofinlaw.data.korean.hanja import hanja_readings, has_hanja

__all__ = ["close_words", "holds_words", "letters"]

_CLOSE = 0.85  # share of the pairs
_NO_LETTER = re.compile(r"[\W_ㆍ]+")
_BRACKET = re.compile(r"\([^()]*\)")
# What a quotation may add: `(兩岸)`, and the short name that a bracket of the law defines.
_ADDED = re.compile(r"\((?:[^()가-힣]*|이하[^()]*)\)")
_SAID_TWICE = re.compile(r"([가-힣]{2,8})\(\1\)")  # 은행(銀行), whose characters are read as Hangul
_OMITTED = re.compile(r"…+|\.{3,}|⋯+|·{3,}|ㆍ{3,}|\((?:중략|생략|전략|후략)\)|[~∼～]+")


def letters(text: str) -> str:
    """Return the letters and digits of a text; `제삼자` and `제3자` are one word."""
    return _NO_LETTER.sub("", text).replace("제삼자", "제3자")


def holds_words(text: str, quoted: str) -> bool:
    """Return whether a text contains quoted words, in their order where some are left out.

    Brackets of the law may be left out without a mark, as courts do, and a quotation may add
    Chinese characters in brackets. Other words in brackets must be those of the law.
    """
    if _in_order(letters(text), _parts(quoted)):
        return True
    if "(" not in text and "(" not in quoted:
        return False
    own = _SAID_TWICE.sub(r"\1", _ADDED.sub("", quoted))
    kept = {letters(match[0]) for match in _BRACKET.finditer(own)}
    law = text
    for _ in range(2):
        law = _BRACKET.sub(lambda match: match[0] if letters(match[0]) in kept else "", law)
    return _in_order(letters(law), _parts(own))


def close_words(text: str, quoted: str) -> bool:
    """Return whether nearly all pairs of letters of the quoted words are in the text.

    Courts join the opening words of an article with one of its 호 in this way.
    """
    known, wanted = letters(text), letters(quoted)
    pairs = {known[place : place + 2] for place in range(len(known) - 1)}
    same = [wanted[place : place + 2] in pairs for place in range(len(wanted) - 1)]
    return bool(same) and sum(same) / len(same) >= _CLOSE


def _parts(quoted: str) -> list[str]:
    return [words for part in _OMITTED.split(quoted) if (words := letters(part))]


def _in_order(text: str, parts: list[str]) -> bool:
    place = 0
    for part in parts:
        start = _find_read(text, part, place) if has_hanja(part) else text.find(part, place)
        if start < 0:
            return False
        place = start + len(part)
    return True


def _find_read(text: str, part: str, place: int) -> int:
    """Return where letters begin in a text, -1 without a place. A Chinese character may be any of
    its readings.
    """
    wanted = [(one, *hanja_readings(one)) for one in part]
    for start in range(place, len(text) - len(part) + 1):
        if all(text[start + index] in readings for index, readings in enumerate(wanted)):
            return start
    return -1
