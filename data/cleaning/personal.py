"""Find and mask personal data with rules.

A number counts if its check digit is correct. A number without a check digit counts only if a word
before it says what it is. Article numbers, days and amounts are therefore not masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "PersonalData",
    "Rule",
    "business_number_holds",
    "card_number_holds",
    "find_personal_data",
    "mask_personal_data",
    "resident_number_holds",
]

_NEAR_CHARACTERS = 24  # before a number: a word here says what the number is


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A piece of personal data: its kind, and its character offsets in the text."""

    kind: str
    start: int
    end: int


def find_personal_data(text: str) -> list[PersonalData]:
    """Return the personal data in a text, in order, without overlaps."""
    found: list[PersonalData] = []
    for kind, pattern, holds in _RULES:
        for match in pattern.finditer(text):
            if holds(match, text):
                found.append(PersonalData(kind, match.start(), match.end()))
    found.sort(key=lambda item: (item.start, -item.end))
    kept: list[PersonalData] = []
    for item in found:
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept


def mask_personal_data(text: str) -> tuple[str, tuple[str, ...]]:
    """Return (text with `[주민등록번호]` and similar labels instead of personal data,
    the kinds found).
    """
    found = find_personal_data(text)
    out, last = [], 0
    for item in found:
        out += [text[last : item.start], f"[{item.kind}]"]
        last = item.end
    return "".join([*out, text[last:]]), tuple(item.kind for item in found)


def resident_number_holds(digits: str) -> bool:
    """Return whether 13 digits are a resident or foreigner registration number
    from before October 2020.

    The weights are 2…9, 2…5. The check digit is (11 - sum mod 11) mod 10, and
    (13 - sum mod 11) mod 10 for foreigners.
    """
    if len(digits) != 13 or not _birthday(digits):
        return False
    total = sum(
        int(d) * w for d, w in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False)
    )
    base = 13 if digits[6] in "5678" else 11
    return (base - total % 11) % 10 == int(digits[12])


def business_number_holds(digits: str) -> bool:
    """Return whether 10 digits are a business registration number (weights 1 3 7 1 3 7 1 3 5)."""
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    total = _weighted_sum(digits, (1, 3, 7, 1, 3, 7, 1, 3, 5))
    total += int(digits[8]) * 5 // 10
    return (10 - total % 10) % 10 == int(digits[9])


def card_number_holds(digits: str) -> bool:
    """Return whether 14 to 16 digits pass the Luhn check and start like a payment card."""
    if not 14 <= len(digits) <= 16 or digits[0] not in "34569" or len(set(digits)) < 2:
        return False
    if len(digits) == 14 and digits[0] != "3":
        return False
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _weighted_sum(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _birthday(digits: str) -> bool:
    return 1 <= int(digits[2:4]) <= 12 and 1 <= int(digits[4:6]) <= 31


def _digits(match: re.Match[str]) -> str:
    return re.sub(r"\D", "", match.group(0))


def _near(match: re.Match[str], text: str, words: str) -> bool:
    """Return whether one of the words (a pattern) is shortly before the match."""
    return (
        re.search(words, text[max(0, match.start() - _NEAR_CHARACTERS) : match.start()]) is not None
    )


def _resident(match: re.Match[str], text: str) -> bool:
    digits = _digits(match)
    if not _birthday(digits):
        return False
    dashed = not match.group(0).isdigit()
    return resident_number_holds(digits) or dashed or _near(match, text, "주민|외국인등록|등록번호")


def _business(match: re.Match[str], text: str) -> bool:
    return business_number_holds(_digits(match)) or _near(match, text, "사업자")


def _card(match: re.Match[str], text: str) -> bool:
    return card_number_holds(_digits(match))


def _account(match: re.Match[str], text: str) -> bool:
    return 10 <= len(_digits(match)) <= 16 and _near(match, text, _BANKS)


def _phone(match: re.Match[str], text: str) -> bool:
    return _near(match, text, "전화|연락처|휴대폰|핸드폰|팩스|문의|[Tt][Ee][Ll]|[Ff][Aa][Xx]|☎")


def _always(match: re.Match[str], text: str) -> bool:
    return True


def _passport(match: re.Match[str], text: str) -> bool:
    return _near(match, text, "여권|[Pp]assport")


def _licence(match: re.Match[str], text: str) -> bool:
    return _near(match, text, "면허")


_BANKS = "계좌|통장|입금|송금|이체|예금주|은행|뱅크|농협|수협|신협|금고|우체국"
_L, _R = r"(?<![\d\-.])", r"(?![\d\-]|\.\d)"
_MOBILE = r"(?:\+82[- ]?|0)1[016789][- .]?\d{3,4}[- .]?\d{4}"
_MAIL = r"[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,10}"
_PASSPORT = r"(?<![A-Za-z0-9])[MSRODmsrod]\d{3}[A-Za-z0-9]\d{4}(?![A-Za-z0-9])"
_DRIVER = r"(?:1[1-9]|2[0-8])-?\d{2}-?\d{6}-?\d{2}"
_OLD_DRIVER = (
    r"(?:서울|부산|대구|인천|광주|대전|울산|경기|강원|충북|충남|전북|전남|경북|경남|제주)"
    r"\s?\d{2}-\d{6}-\d{2}"
)
_CITIES = (
    "(?:서울(?:특별시|시)?|(?:부산|대구|인천|광주|대전|울산)(?:광역시|시)?|세종(?:특별자치시|시)?|"
    "경기도?|강원(?:특별자치도|도)?|충청?[남북]도?|전라?[남북]도?|전북특별자치도|경상?[남북]도?|"
    "제주(?:특별자치도|도)?)"
)
# Between a city and a street there is at least one of 시, 군 and 구, except in Sejong.
_TOWNS = rf"(?:{_CITIES}\s?(?:[가-힣]{{1,6}}[시군구]\s?){{1,2}}|세종(?:특별자치시|시)\s?)"
_TOWN = r"(?:[가-힣]{1,6}[읍면]\s?)?"
_ROOM = r"(?:(?:\s?,\s?|\s{0,2})(?:지하\s?)?\d{1,4}[동호층]){0,8}(?!\d)"
_NUMBERED = r"\d{1,4}(?:-\d{1,4})?"
_ROAD = (
    rf"{_TOWNS}{_TOWN}[가-힣0-9]{{1,12}}(?:대?로|길)\s?(?:\d+(?:가|번)?길\s?)?{_NUMBERED}{_ROOM}"
)
_LOT = (
    rf"{_TOWNS}{_TOWN}[가-힣0-9]{{1,8}}(?:동|리|가)\s(?:산\s?)?"
    rf"(?:{_NUMBERED}\s?번지|\d{{1,4}}-\d{{1,4}}){_ROOM}"
)
Rule = tuple[str, re.Pattern[str], Callable[[re.Match[str], str], bool]]
_RULES: tuple[Rule, ...] = (
    ("주민등록번호", re.compile(rf"{_L}\d{{6}}(?:\s?[-–]\s?)?[1-4]\d{{6}}{_R}"), _resident),
    ("외국인등록번호", re.compile(rf"{_L}\d{{6}}(?:\s?[-–]\s?)?[5-8]\d{{6}}{_R}"), _resident),
    ("카드번호", re.compile(rf"{_L}\d{{4}}[- ]\d{{4}}[- ]\d{{4}}[- ]\d{{4}}{_R}"), _card),
    ("카드번호", re.compile(rf"{_L}\d{{4}}[- ]\d{{6}}[- ]\d{{4,5}}{_R}"), _card),
    ("카드번호", re.compile(rf"{_L}\d{{14,16}}{_R}"), _card),
    ("사업자등록번호", re.compile(rf"{_L}\d{{3}}-\d{{2}}-\d{{5}}{_R}"), _business),
    ("사업자등록번호", re.compile(rf"{_L}\d{{10}}{_R}"), _business),
    (
        "전화번호",
        re.compile(rf"{_L}{_MOBILE}{_R}"),
        _always,
    ),
    (
        "전화번호",
        re.compile(
            rf"{_L}(?:0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|80|50\d)[-)]\s?\d{{3,4}}-\d{{4}}"
            rf"|(?:15|16|18)\d{{2}}-\d{{4}}){_R}"
        ),
        _always,
    ),
    (
        "전화번호",
        re.compile(rf"{_L}0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70)[ .]?\d{{3,4}}[ .]?\d{{4}}{_R}"),
        _phone,
    ),
    (
        "전자우편",
        re.compile(
            r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,10}(?![\w-])",
            re.ASCII,
        ),
        _always,
    ),
    ("여권번호", re.compile(_PASSPORT), _passport),
    (
        "운전면허번호",
        re.compile(rf"(?:{_L}{_DRIVER}|(?<![가-힣]){_OLD_DRIVER}){_R}"),
        _licence,
    ),
    ("계좌번호", re.compile(rf"{_L}\d{{2,6}}-\d{{2,6}}-\d{{2,7}}(?:-\d{{1,3}})?{_R}"), _account),
    ("계좌번호", re.compile(rf"{_L}\d{{10,14}}{_R}"), _account),
    ("주소", re.compile(rf"(?<![가-힣])(?:{_ROAD}|{_LOT})"), _always),
)
