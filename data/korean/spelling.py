"""Write references to provisions in one spelling: `第３條第２項` as `제3조제2항`.

Documents and questions use the same function, so a question finds the provision that it names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["HANJA_DIGITS", "number_in_words", "standard_references", "standard_spans"]

HANJA_DIGITS = "〇零○一二三四五六七八九十百千"
# The forms of contracts, which nobody can change by a stroke: 壹 for 一
_FORMAL = str.maketrans(
    "壹壱弌貳贰弐參叁参肆伍陸陆柒漆捌玖拾佰仟", "一一一二二二三三三四五六六七七八九十百千"
)
_MARKS = {
    **{chr(0x2460 + i): i + 1 for i in range(20)}, **{chr(0x2160 + i): i + 1 for i in range(12)},
}  # fmt: skip
_UNITS = {
    "條": "조", "条": "조", "項": "항", "项": "항", "號": "호", "号": "호", "目": "목",
    "編": "편", "篇": "편", "章": "장", "節": "절", "节": "절", "款": "관",
}  # fmt: skip
_DASHES = str.maketrans("－―‐‑–—", "------")
_HANJA = HANJA_DIGITS + "".join(map(chr, _FORMAL))
_NUMBER = rf"(?:\d+|[{_HANJA}]+|[{''.join(_MARKS)}])"
_REFERENCE = re.compile(
    rf"(?P<head>[제第])(?P<gap>\s*)(?P<number>{_NUMBER}(?:\s?[-－‐‑–]\s?{_NUMBER})?)(?P<gap2>\s*)"
    rf"(?P<unit>[조항호목편장절관{''.join(_UNITS)}])(?P<branch>(?:\s?[의之]\s?{_NUMBER})*)"
)
_OTHER_DIGITS = "０-９٠-٩۰-۹\U0001d7ce-\U0001d7ff"
_ODD_CHARACTER = re.compile(rf"[第{_OTHER_DIGITS}之{''.join(_UNITS)}]")
_ODD_NUMBER = re.compile(rf"제\s*(?:[{_HANJA}{''.join(_MARKS)}]|0\d*\s*조)")
_DIGITS = {
    **dict(zip("一二三四五六七八九", range(1, 10), strict=True)), **dict.fromkeys("〇零○", 0),
    **dict(zip("일이삼사오육칠팔구", range(1, 10), strict=True)), "륙": 6, "영": 0,
}  # fmt: skip
_POWERS = {"十": 10, "百": 100, "千": 1000, "십": 10, "백": 100, "천": 1000}


def standard_references(text: str) -> str:
    """Return the text with references to provisions in ASCII digits and Hangul units.

    Numbers in other digits, Chinese characters, circles or Roman numerals count only between 제 or
    第 and a unit (조, 항, 호, 목, 편, 장, 절, 관); all other words stay unchanged. Blanks stay.
    """
    if not _is_odd(text):
        return text
    return _REFERENCE.sub(_standard, text)


def standard_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, words) of each reference that `standard_references` writes otherwise."""
    if not _is_odd(text):
        return
    for match in _REFERENCE.finditer(text):
        words = _standard(match)
        if words != match.group(0):
            yield match.start(), match.end(), words


def _is_odd(text: str) -> bool:
    """Return whether a text may have a reference in another spelling."""
    return _ODD_CHARACTER.search(text) is not None or _ODD_NUMBER.search(text) is not None


def _standard(match: re.Match[str]) -> str:
    if not _is_odd(match.group(0)):
        return match.group(0)
    number = re.sub(_NUMBER, _digits, match["number"].translate(_DASHES))
    if match["unit"] in "조條条":
        number = number.lstrip("0") or "0"
    unit = _UNITS.get(match["unit"], match["unit"])
    branch = re.sub(_NUMBER, _digits, match["branch"].replace("之", "의"))
    return f"제{match['gap']}{number}{match['gap2']}{unit}{branch}"


def _digits(match: re.Match[str]) -> str:
    digits = match.group(0)
    if digits in _MARKS:
        return str(_MARKS[digits])
    if digits.isdecimal():
        return "".join(str(unicodedata.decimal(digit)) for digit in digits)
    return str(number_in_words(digits.translate(_FORMAL)))


def number_in_words(words: str) -> int:
    """Return the number that Chinese characters or Sino-Korean words spell: `二十三`, `이십삼`.

    Returns -1 for other text.
    """
    total = current = 0
    plain = ""  # digits in a row: 一〇 is 10
    for character in words:
        if (power := _POWERS.get(character)) is not None:
            total += max(current, 1) * power
            current, plain = 0, ""
        elif (digit := _DIGITS.get(character)) is not None:
            plain += str(digit)
            current = int(plain[:9])
        else:
            return -1
    return total + current if words else -1
