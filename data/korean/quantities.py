"""Read quantities with unit, bound and direction: `3개월 이내`, `100분의 5`, `일억원`.

The reader is wider than that of the generators (`augment/reading/figures.py`): answers write
amounts in their own way. `1억원`, `100,000,000원` and `일억원` are the same quantity, and so are
`100분의 5` and `5%`, or `1년` and `12개월`. `90일` and `3개월` are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["BRANCH", "Quantity", "read_number", "read_quantities"]

_SCALES = {"조": 10**12, "억": 10**8, "만": 10**4}
_SMALL = {"천": 1000, "백": 100, "십": 10}
_DIGITS = {d: n for n, d in enumerate("일이삼사오육칠팔구", 1)}
_NATIVE = {
    w: n
    for n, w in enumerate(("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열"), 1)
}
# unit: (dimension, factor to the dimension's base unit)
_UNITS: dict[str, tuple[str, float]] = {
    "원": ("won", 1),
    "개월": ("months", 1),
    "달": ("months", 1),
    "년": ("months", 12),
    "영업일": ("business days", 1),
    "일": ("days", 1),
    "주일": ("days", 7),
    "주": ("days", 7),
    "시간": ("hours", 1),
    "분": ("hours", 1 / 60),
    "퍼센트": ("ratio", 0.01),
    "프로": ("ratio", 0.01),
    "%": ("ratio", 0.01),
    "명": ("people", 1),
    "인": ("people", 1),
    "사람": ("people", 1),
    "회": ("times", 1),
    "번": ("times", 1),
    "차례": ("times", 1),
    "배": ("multiple", 1),
    "세": ("years of age", 1),
    "개": ("pieces", 1),
    "건": ("cases", 1),
    "점": ("points", 1),
    "달러": ("dollars", 1),
}
_NUMBER = r"\d[\d,]{0,30}(?:\.\d{1,30})?"
_SCALED = (
    rf"{_NUMBER}(?:\s?[천백십]?(?:조|억|만|천|백|십)"
    rf"(?:\s?{_NUMBER}(?=\s?[천백십만억원])|[천백십만억]){{0,30}})?"
)
_HANGUL = r"[일이삼사오육칠팔구십백천만억조]+"
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
# What may follow a unit: no letter that makes it another word (3회사, 5명령, 10분기).
_AFTER = (
    r"(?![가-힣])|(?=(?:간|째|마다|당|씩)?(?:이[내상하후전]|안|내에|이다|이며|이고|이라|입니|인 "
    r"|일 |을|를|이|가|은|는|의|에|로|으로|과|와|까지|부터|만|도|전|후|동안|미만|초과|간|마다|당"
    r"|씩|분)"
    r"(?![업계위]))"
)
_AMOUNT = rf"(?:{_SCALED}(?:{_UNIT})(?:{_AFTER})|\d[\d,]{{0,30}}\s?분의)".replace(" ", r"\ ")
# What precedes the 2 in `제9조의2` and `제9조의 2`, but not the 5 in `제9조의 5시간`. The
# pattern has no groups and is valid in verbose patterns too.
BRANCH = rf"\s*의(?!\s+{_AMOUNT})\s*"
_PATTERN = re.compile(
    rf"(?P<whole>\d[\d,]{{0,30}}[천만]?|[일이삼사오육칠팔구]?[십백천만]{{1,8}}|[이삼사오육칠팔구])\s?분의\s?"
    rf"(?P<part>\d[\d,]*(?:\.\d+)?|{_HANGUL})"
    rf"|(?<![\d제.,])(?P<number>{_SCALED})\s?(?P<unit>{_UNIT})(?:{_AFTER})"
    rf"|(?<![가-힣\d])(?P<hangul>{_HANGUL})\s?(?P<unit2>{_UNIT})(?:{_AFTER})"
    rf"|(?<![가-힣\d])(?P<native>{'|'.join(_NATIVE)})\s?(?P<unit3>달|명|사람|번|배|가지|차례|개)(?:{_AFTER})"
)
_DATE = re.compile(
    r"(?<!\d)(?:(?P<y>\d{4})\s?년\s?)?(?P<m>\d{1,2})\s?월\s?(?P<d>\d{1,2})\s?일"
    r"|(?<!\d)(?P<year>[12]\d{3})\s?년(?!\s?(?:이내|이하|이상|동안|간))"
)
_ARTICLE_PART = re.compile(r"제\s?\d+\s?(?:조(?:\s?의\s?\d+)?|[항호장절편관목차])(?:\s?의\s?\d+)?")
# `most` includes the value (이내, 이하), `below` does not (미만); `least` (이상), `above` (초과).
_BOUNDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    # A forbidden excess is a bound from above: `100분의 5를 초과할 수 없다`.
    (
        "most",
        re.compile(
            r"^\S{0,3}\s?(?:이내|이하|까지|한도|안에|내에|내로"
            r"|(?:초과|넘|경과)\S{0,4}\s?(?:수\s?(?:는\s?)?없|서는|못하|아니|않)\S*)"
        ),
    ),
    ("most", re.compile(r"^(?:\s?전|\s?후)까지")),
    ("below", re.compile(r"^\S{0,2}\s?미만|^보다 (?:적|작|낮)")),
    ("least", re.compile(r"^\S{0,2}\s?이상")),
    ("above", re.compile(r"^\S{0,2}\s?(?:초과|넘)|^보다 (?:많|크|높)")),
)
_DIRECTION: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("before", re.compile(r"^\s?(?:이전|전)(?![가-힣])|^\s?(?:이전|전)(?:까지|에|의|부터)")),
    (
        "after",
        re.compile(
            r"^\s?(?:이후|후|뒤)(?![가-힣])|^\s?(?:이후|후|뒤)(?:에|의|부터)|^\S{0,2}\s?(?:지난|경과한)"
        ),
    ),
)
_BOUND_CHARACTERS = 14  # after the figure, in which its bound is searched
_FAMILY = {"months": "time", "days": "time", "business days": "time", "hours": "time"}
_DAYS = {"months": 30.4, "days": 1.0, "business days": 1.4, "hours": 1 / 24}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity in a text; `start` and `end` are its characters, without its bound.

    `value` is in the base unit of `dimension` (months, days, hours, won, a share from 0 to 1,
    people, …). A date is a quantity of dimension `date`; its value is year × 10,000 + month × 100
    + day, with 0 for a part that is not named. `bound` is `most`, `below`, `least`, `above` or
    empty; `direction` is `before`, `after` or empty.
    """

    start: int
    end: int
    text: str
    dimension: str
    value: float
    bound: str = ""
    direction: str = ""

    @property
    def family(self) -> str:
        """The dimension, with all measures of time as one (`time`)."""
        return _FAMILY.get(self.dimension, self.dimension)

    def same_value(self, other: Quantity) -> bool:
        """Return whether both have the same dimension and value; bounds are not compared."""
        return self.dimension == other.dimension and abs(self.value - other.value) <= 1e-9 * max(
            abs(self.value), abs(other.value), 1e-9
        )

    def agrees(self, other: Quantity) -> bool:
        """Return whether both state the same. A bound or direction that one does not name fits."""
        return (
            self.same_value(other)
            and (not self.bound or not other.bound or self.bound == other.bound)
            and (not self.direction or not other.direction or self.direction == other.direction)
        )

    def conflicts(self, other: Quantity) -> bool:
        """Return whether both cannot be stated of the same thing.

        They are of one family and their values differ by more than 7 % (`3개월` and `90일` do
        not), or the values are equal and the named bounds or directions differ.
        """
        if self.family != other.family:
            return False
        if self.same_value(other):
            return not self.agrees(other)
        if self.family == "time":
            one, two = (q.value * _DAYS[q.dimension] for q in (self, other))
        else:
            one, two = self.value, other.value
        high, low = max(one, two), min(one, two)
        return low <= 0 or self.family == "date" or high / low > 1.07


def read_number(text: str) -> float | None:
    """Return `3억 5천만`, `5,000`, `12.5`, `일억` or `삼십` as a number; None for anything else."""
    total = section = number = 0.0
    seen = False
    for token in re.findall(r"\d[\d,]*(?:\.\d+)?|\S", text.replace(" ", "")):
        if token[0].isdigit():
            number = float(token.replace(",", ""))
        elif token in _DIGITS:
            if number:
                return None
            number = float(_DIGITS[token])
        elif token in _SMALL:
            section += (number or 1) * _SMALL[token]
            number = 0.0
        elif token in _SCALES:
            total += ((section + number) or 1) * _SCALES[token]
            section = number = 0.0
        else:
            return None
        seen = True
    return total + section + number if seen else None


def read_quantities(text: str) -> list[Quantity]:
    """Return the quantities of a text in order, without numbers of articles and their parts.

    Years with months (`1년 6개월`) are one quantity, and so are hours with minutes.
    """
    masked = _ARTICLE_PART.sub(lambda m: " " * len(m[0]), text)
    found: list[Quantity] = []
    for match in _DATE.finditer(masked):
        parts = [int(match[name] or 0) for name in ("y", "m", "d")]
        if match["year"]:
            parts = [int(match["year"]), 0, 0]
        value = parts[0] * 10_000 + parts[1] * 100 + parts[2]
        found.append(_quantity(masked, match.start(), match.end(), "date", float(value)))
    for match in _DATE.finditer(masked):
        masked = masked[: match.start()] + " " * len(match[0]) + masked[match.end() :]
    found += _joined(list(_amounts(masked)), masked)
    return sorted(found, key=lambda quantity: quantity.start)


def _amounts(masked: str) -> Iterator[Quantity]:
    for match in _PATTERN.finditer(masked):
        if match["whole"]:
            whole, part = read_number(match["whole"]), read_number(match["part"])
            if whole and part is not None:
                yield _quantity(masked, match.start(), match.end(), "ratio", part / whole)
            continue
        unit = match["unit"] or match["unit2"] or match["unit3"]
        if match["native"]:
            number: float | None = float(_NATIVE[match["native"]])
        else:
            number = read_number(match["number"] or match["hangul"])
        if number is None or (match["hangul"] and not _is_number_word(match["hangul"], unit)):
            continue
        dimension, factor = _UNITS.get(unit, ("pieces", 1))
        end = (
            match.end("unit")
            if match["unit"]
            else match.end("unit2" if match["unit2"] else "unit3")
        )
        yield _quantity(masked, match.start(), end, dimension, number * factor)


def _is_number_word(word: str, unit: str) -> bool:
    """Return whether Hangul before a unit is a number and not part of a word (`구분`, `사회`)."""
    if unit in ("원", "개월", "년", "퍼센트", "%", "영업일", "시간", "주일"):
        return True
    return word in ("십", "백") or (
        len(word) > 1 and any(letter in _SMALL or letter in _SCALES for letter in word)
    )


def _joined(found: list[Quantity], text: str) -> list[Quantity]:
    """Join years with the months after them, and hours with the minutes after them."""
    out: list[Quantity] = []
    for quantity in found:
        last = out[-1] if out else None
        if (
            last is not None
            and last.dimension == quantity.dimension
            and last.dimension in ("months", "hours")
            and not last.bound
            and last.text[-1] in "년간"
            and last.value > quantity.value
            and not text[last.end : quantity.start].strip()
        ):
            out[-1] = _quantity(
                text, last.start, quantity.end, last.dimension, last.value + quantity.value
            )
        else:
            out.append(quantity)
    return out


def _quantity(text: str, start: int, end: int, dimension: str, value: float) -> Quantity:
    after = text[end : end + _BOUND_CHARACTERS]
    bound = next((name for name, pattern in _BOUNDS if pattern.search(after)), "")
    direction = next((name for name, pattern in _DIRECTION if pattern.search(after)), "")
    return Quantity(start, end, text[start:end], dimension, value, bound, direction)
