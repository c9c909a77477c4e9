"""Write the automatic numbers of paragraphs: `가`, `①`, `iv`, `제3조`.

Sources: ISO/IEC 29500-1, 17.18.59 (ST_NumberFormat); Hancom, 한글 문서 파일 형식 5.0, 번호 모양;
OpenDocument 1.3, 19.500 (style:num-format).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kofinlaw.data.korean.marks import JAMO, SYLLABLES
from kofinlaw.data.law.headers import CIRCLED

__all__ = ["Counters", "number_mark", "raised"]

_EXPONENT = re.compile(r"[-+−]?\d{1,4}")
_RAISED = str.maketrans("0123456789-−+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁺")
_MOST = 100_000  # a larger number is written in digits, whatever its format
_HANGUL_DIGITS, _HANGUL_UNITS = "영일이삼사오육칠팔구", ("", "십", "백", "천")
_HANJA_DIGITS, _HANJA_UNITS = "〇一二三四五六七八九", ("", "十", "百", "千")
_LEGAL_DIGITS = "零壹貳參四五六七八九"
_ONES = ("", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_HANGUL_STEMS = "갑을병정무기경신임계"
_ROMAN = (
    *((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L")),
    *((40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")),
)


def _series(first: str, count: int) -> str:
    return "".join(map(chr, range(ord(first), ord(first) + count)))


# Formats whose marks are single characters in order; a list longer than that repeats the letter.
_LETTERS = {
    "syllable": SYLLABLES,
    "jamo": JAMO,
    "latin": _series("a", 26),
    "LATIN": _series("A", 26),
    "stems": _STEMS,
    "branches": _BRANCHES,
    "hangul_stems": _HANGUL_STEMS,
}
# The same, but a number above the last character is written in digits.
_SINGLE = {
    "circled": CIRCLED,
    "circled_syllable": _series("㉮", 14),
    "circled_jamo": _series("㉠", 14),
    "circled_latin": _series("ⓐ", 26),
    "circled_LATIN": _series("Ⓐ", 26),
    "circled_hanja": _series("㊀", 10),
    "parenthesised": _series("⑴", 20),
    "parenthesised_syllable": _series("㈎", 14),
    "full_stop": _series("⒈", 20),
}
# Names of formats in DOCX, HWPX, HWP 5 (by number) and ODT that are written as one of ours
_NAMES = {
    "upperRoman": "ROMAN", "lowerRoman": "roman", "upperLetter": "LATIN", "lowerLetter": "latin",
    "ganada": "syllable", "chosung": "jamo", "decimalEnclosedCircle": "circled",
    "decimalEnclosedCircleChinese": "circled", "decimalEnclosedParen": "parenthesised",
    "decimalEnclosedFullstop": "full_stop", "ideographEnclosedCircle": "circled_hanja",
    "koreanDigital": "hangul_digits", "koreanCounting": "hangul", "koreanLegal": "native",
    "koreanDigital2": "hanja_digits", "ideographDigital": "hanja_digits",
    "japaneseCounting": "hanja", "chineseCounting": "hanja", "chineseCountingThousand": "hanja",
    "taiwaneseCounting": "hanja", "taiwaneseCountingThousand": "hanja",
    "japaneseDigitalTenThousand": "hanja_digits", "taiwaneseDigital": "hanja_digits",
    "chineseLegalSimplified": "legal", "ideographLegalTraditional": "legal",
    "japaneseLegal": "legal", "ideographTraditional": "stems", "ideographZodiac": "branches",
    "decimalZero": "zero", "decimalFullWidth": "wide", "decimalFullWidth2": "wide",
    "numberInDash": "dash", "ordinal": "ordinal",
    "CIRCLED_DIGIT": "circled", "ROMAN_CAPITAL": "ROMAN", "ROMAN_SMALL": "roman",
    "LATIN_CAPITAL": "LATIN", "LATIN_SMALL": "latin", "CIRCLED_LATIN_CAPITAL": "circled_LATIN",
    "CIRCLED_LATIN_SMALL": "circled_latin", "HANGUL_SYLLABLE": "syllable",
    "CIRCLED_HANGUL_SYLLABLE": "circled_syllable", "HANGULJAMO": "jamo", "HANGUL_JAMO": "jamo",
    "CIRCLED_HANGULJAMO": "circled_jamo", "CIRCLED_HANGUL_JAMO": "circled_jamo",
    "HANGUL_PHONETIC": "hangul", "IDEOGRAPH": "hanja",
    "CIRCLED_IDEOGRAPH": "circled_hanja", "DECAGON_CIRCLE": "hangul_stems",
    "DECAGON_CIRCLE_HANJA": "stems",
    "i": "roman", "I": "ROMAN", "a": "latin", "A": "LATIN", "가, 나, 다, ...": "syllable",
    "ㄱ, ㄴ, ㄷ, ...": "jamo", "㉮, ㉯, ㉰, ...": "circled_syllable",
    "㉠, ㉡, ㉢, ...": "circled_jamo", "①, ②, ③, ...": "circled", "일, 이, 삼, ...": "hangul",
    "一, 二, 三, ...": "hanja", "하나, 둘, 셋, ...": "native", "１, ２, ３, ...": "wide",
}  # fmt: skip


def number_mark(number: int, name: str) -> str:
    """Return a number in a format, by its name in DOCX, HWPX or ODT; unknown formats: digits.

    A number for which the format has no mark (`㉮` has 14) is written in digits.
    """
    form = _NAMES.get(name, name)
    digits = str(number)
    if not 0 < number <= _MOST:
        return digits
    if letters := _LETTERS.get(form):
        return letters[(number - 1) % len(letters)] * min(10, (number - 1) // len(letters) + 1)
    if marks := _SINGLE.get(form):
        return marks[number - 1] if number <= len(marks) else digits
    if form in ("roman", "ROMAN"):
        return _roman(number) if form == "ROMAN" else _roman(number).lower()
    return _in_words(number, form)


def _in_words(number: int, form: str) -> str:
    digits = str(number)
    match form:
        case "hangul_digits":
            return "".join(_HANGUL_DIGITS[int(digit)] for digit in digits)
        case "hanja_digits":
            return "".join(_HANJA_DIGITS[int(digit)] for digit in digits)
        case "hangul":
            return _counted(number, _HANGUL_DIGITS, _HANGUL_UNITS, "만")
        case "hanja":
            return _counted(number, _HANJA_DIGITS, _HANJA_UNITS, "萬")
        case "legal":
            return _counted(number, _LEGAL_DIGITS, ("", "拾", "百", "阡"), "萬")
        case "native":
            return _TENS[number // 10] + _ONES[number % 10] if number < 100 else digits
        case "zero":
            return digits.zfill(2)
        case "wide":
            return "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in digits)
        case "dash":
            return f"- {digits} -"
        case "ordinal":
            ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
            return digits + ("th" if number % 100 in (11, 12, 13) else ending)
    return digits


def _roman(number: int) -> str:
    out = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        out += letters * count
    return out


def _counted(number: int, names: str, units: Sequence[str], myriad: str) -> str:
    """Return a number in words: 십이 for 12, 이백삼 for 203."""
    high, low = divmod(number, 10_000)
    out = ("" if high == 1 else _counted(high, names, units, myriad)) + myriad if high else ""
    for place, digit in zip(range(3, -1, -1), f"{low:04d}", strict=True):
        if digit != "0":
            out += ("" if digit == "1" and place else names[int(digit)]) + units[place]
    return out


def raised(text: str) -> str:
    """Return a number that is written above the line as Unicode (`10²`); other text unchanged."""
    return text.translate(_RAISED) if _EXPONENT.fullmatch(text) else text


@dataclass(slots=True)
class Counters:
    """The counts of the levels of one list; a level that has not been counted is None."""

    counts: list[int | None] = field(default_factory=lambda: [None] * 16)

    def count(self, level: int, start: int, restarts: Sequence[int]) -> None:
        """Count a paragraph of a level (from 0).

        Args:
            level: The level of the paragraph.
            start: The first number of that level.
            restarts: For each level, the level up to which a paragraph starts it again; -1: never.
        """
        before = self.counts[level]
        self.counts[level] = start if before is None else before + 1
        for below in range(level + 1, len(self.counts)):
            if below >= len(restarts) or level <= restarts[below]:
                self.counts[below] = None

    def shown(self, level: int, start: int) -> int:
        """Return the count of a level; one that was not counted shows its first number."""
        found = self.counts[level]
        return start if found is None else found
