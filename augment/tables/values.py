"""Read the value of a cell: a figure with its unit and bound, a range, or a fraction.

A cell is a value only if its whole text is one. The unit is in the cell, in the name of its column
(`가중치(%)`) or in the caption of the table (`(단위 : 만원)`).
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.augment.reading.figures import parse_won
from kofinlaw.data.korean.words import josa

__all__ = [
    "Value",
    "column_name",
    "near_values",
    "number_within",
    "read_value",
    "spaced_letters",
    "unit_of",
    "with_particle",
]

_UNITS = (
    r"%p|%|퍼센트|점|년|개월|월|영업일|일|시간|명|인|배|회|건|개사|개"
    r"|조원|억원|백만원|천만원|만원|천원|원|bp"
)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_BOUND = r"이상|이하|미만|초과|이내"
_BASE = r"(?:(?P<base>[가-힣][가-힣 ()·ㆍ]{0,18}의) ?)?"
_FIGURE = rf"(?:{_NUMBER}) ?(?:{_UNITS})?"
_WON = r"\d[\d,]*(?:[천백십]?(?:조|억|만|천|백))[\d천백십만억]{0,12} ?원"
_SINGLE = re.compile(
    rf"{_BASE}(?:(?P<whole>100|1,000|1천)분의 ?(?P<part>\d+(?:\.\d+)?)|(?P<won>{_WON})"
    rf"|(?P<number>{_NUMBER}) ?(?P<unit>{_UNITS})?) ?(?P<bound>{_BOUND})?"
)
_RANGE = re.compile(
    rf"(?P<low>{_NUMBER}) ?(?P<unit1>{_UNITS})? ?(?P<bound1>이상|초과)?(?: ?[,~∼～-] ?| )"
    rf"(?P<high>{_NUMBER}) ?(?P<unit2>{_UNITS})? ?(?P<bound2>이하|미만|이내)?"
)
_CLOSED = ("이상", "이하", "이내")
_UNIT_LINE = re.compile(r"단위 ?[:：]? ?(?P<units>[^)\]>]+)")
_LETTER = re.compile(r"[가-힣\d](?=\(|\Z)")
_IN_COLUMN = re.compile(rf"\((?:단위 ?[:：]? ?)?(?P<unit>{_UNITS})\)")


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a cell.

    Attributes:
        text: The value as a reader says it, with its unit: `85%`, `600 이상 1,400 미만`.
        cell: Its text in the table, without a unit that only the column or caption gives.
        unit: Its unit; of a range that of both ends.
        low, high: Its numbers; equal for a single figure.
        bounds: Its bounds in order (`이상`, `미만`).
        base: What the figure is a share of (`공정가액의`); empty for none.
    """

    text: str
    cell: str
    unit: str
    low: float
    high: float
    bounds: tuple[str, ...] = ()
    base: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two values of a column the same one."""
        return self.base, self.unit, self.low, self.high, self.bounds

    @property
    def sort(self) -> tuple[object, ...]:
        """What two values share if one can be a wrong option for the other."""
        return self.unit, self.low != self.high, bool(self.base)

    @property
    def is_range(self) -> bool:
        """Whether the value has two ends, or one bound."""
        return self.low != self.high or bool(self.bounds)


def read_value(cell: str, unit: str = "") -> Value | None:
    """Return the value of a cell; None if its text is not one value or its unit is unknown.

    `unit` is that of its column or table, for a number without a unit.
    """
    text = " ".join(cell.split())
    if match := _SINGLE.fullmatch(text):
        return _single(match, text, unit)
    if match := _RANGE.fullmatch(text):
        return _range(match, text, unit)
    return None


def _single(match: re.Match[str], text: str, outside: str) -> Value | None:
    bound = match.group("bound") or ""
    base = match.group("base") or ""
    bounds = (bound,) if bound else ()
    if match.group("whole"):
        part = float(match.group("part"))
        whole = match.group("whole")
        return Value(text, text, f"{whole}분의", part, part, bounds, base)
    if match.group("won"):
        number = _won(match.group("won"))
        return Value(text, text, "원", number, number, bounds, base)
    number, unit = _float(match.group("number")), match.group("unit") or outside
    if not unit:
        return None
    shown = text
    if not match.group("unit"):
        shown = f"{base + ' ' if base else ''}{match.group('number')}{unit}{_spaced(bound)}"
    return Value(shown, text, unit, number, number, bounds, base)


def _range(match: re.Match[str], text: str, outside: str) -> Value | None:
    first, second = match.group("unit1") or "", match.group("unit2") or ""
    if first and second and first != second:
        return None
    unit = second or first or outside
    low, high = _float(match.group("low")), _float(match.group("high"))
    bounds = (match.group("bound1") or "", match.group("bound2") or "")
    if not unit or low >= high or (bool(bounds[0]) != bool(bounds[1])):
        return None
    shown = text
    if not (first or second):
        low_end = f"{match.group('low')}{unit}{_spaced(bounds[0])}"
        joint = " " if bounds[0] else "~"
        shown = f"{low_end}{joint}{match.group('high')}{unit}{_spaced(bounds[1])}"
    return Value(shown, text, unit, low, high, bounds)


def unit_of(column: str, captions: Sequence[str]) -> str:
    """Return the unit that the name of a column or the caption gives; empty for none or several."""
    found = set(_IN_COLUMN.findall(column))
    if not found:
        for line in captions:
            for match in _UNIT_LINE.finditer(line):
                found |= {word.strip() for word in re.split(r"[,/·ㆍ]", match.group("units"))}
    unit = found.pop() if len(found) == 1 else ""
    name = column.replace(" ", "")
    if not found and re.search(r"점수$|배점$", name):
        unit = "점"
    if not found and re.search(r"인력$|인원$|인원수$", name):
        unit = "명"
    return unit if re.fullmatch(_UNITS, unit) else ""


def column_name(column: str) -> str:
    """Return the name of a column as a sentence says it, without its unit: `가중치`."""
    return " ".join(spaced_letters(_IN_COLUMN.sub("", column)).split())


def spaced_letters(text: str) -> str:
    """Return a text without the blanks of a spaced word: `가 중 치(%)` → `가중치(%)`.

    Three single letters or more are one word, and two at the start of a text (`주 식 (상장)`) that
    no other word follows.
    """
    words = text.split(" ")
    out: list[str] = []
    start = 0
    while start < len(words):
        end = start
        while end < len(words) and _LETTER.match(words[end]):
            end += 1
            if "(" in words[end - 1]:
                break
        whole = not start and (end == len(words) or "(" in words[end - 1] or words[end][:1] == "(")
        if end - start > 2 or (end - start == 2 and whole):
            out.append("".join(words[start:end]))
        else:
            end = max(end, start + 1)
            out += words[start:end]
        start = end
    return " ".join(out)


def _spaced(bound: str) -> str:
    return f" {bound}" if bound else ""


def _float(number: str) -> float:
    return float(number.replace(",", ""))


def _won(text: str) -> float:
    return float(parse_won(text))


def with_particle(name: str, particle: str) -> str:
    """Return a name with the particle that fits its last word outside of brackets."""
    bare = re.sub(r"(?<!\s)\s*+\([^()]*+\)\s*+\Z", "", name)
    fitting = josa(bare, particle)[len(bare) :] if bare else particle.partition("/")[2]
    return f"{name}{fitting}"


def near_values(value: Value, rng: random.Random) -> list[str]:
    """Return up to four figures near a single value, as its cell writes them; none for a range.

    A share of more than 100 % is not made from a smaller one.
    """
    if value.low != value.high or not value.low:
        return []
    number = next(reversed(list(re.finditer(_NUMBER, value.text))), None)
    if number is None or value.unit == "원":
        return []
    true = _float(number.group())
    step = _step(true)
    candidates = [true + n * step for n in (-2, -1, 1, 2)] + [true * 2, true / 2]
    top = 100 if "%" in value.unit and true <= 100 else float("inf")
    found = {round(n, 4) for n in candidates if 0 < n <= top and round(n, 4) != true}
    shown = [n for n in sorted(found) if "." in number.group() or n == int(n)]
    rng.shuffle(shown)
    places = len(number.group().partition(".")[2])
    return [
        f"{value.text[: number.start()]}{n:.{places}f}{value.text[number.end() :]}"
        for n in shown[:4]
    ]


def _step(number: float) -> float:
    """Return a step that keeps a number as round as it is: 5 for 85, 10 for 100, 1 for 3."""
    for step in (1000.0, 100.0, 50.0, 10.0, 5.0, 1.0, 0.5, 0.1):
        if number >= 2 * step and abs(number / step - round(number / step)) < 1e-9:
            return step
    return number / 2


def number_within(label: str, rng: random.Random) -> str:
    """Return a number with its unit that lies in a range (`600 이상 1,400 미만`); empty for none.

    Half of them lie on an end that the range includes: only its bound decides.
    """
    found = read_value(label, "―")
    if found is None or not found.is_range or found.base or "분의" in found.unit:
        return ""
    unit = "" if found.unit == "―" else found.unit
    low, high = found.low, found.high
    if low != high and not all(found.bounds):
        return ""
    closed = [
        end
        for end, bound in zip((low, high), (*found.bounds, found.bounds[0]), strict=False)
        if bound in _CLOSED
    ]
    if low == high:
        closed = closed[:1]
        inside = low / 2 if found.bounds[0] in ("미만", "이하", "이내") else low * 1.5
        top, bottom = (low, 0.0) if inside < low else (float("inf"), low)
    else:
        inside, top, bottom = (low + high) / 2, high, low
    if low == int(low) and high == int(high):
        inside = float(math.ceil(inside))
    number = rng.choice(closed) if closed and rng.random() < 0.5 else inside
    if number not in closed and not bottom < number < top:
        return ""
    return f"{number:,.0f}{unit}" if number == int(number) else f"{number:g}{unit}"
