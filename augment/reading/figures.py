"""Read the figures of a text (deadlines, amounts, ratios, counts) and write figures near them."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

__all__ = [
    "Figure",
    "clearly_differ",
    "find_figures",
    "format_won",
    "is_half",
    "near_values",
    "parse_won",
    "question_word",
]

# Length of one unit in days or hours.
_DAYS = {"일": 1.0, "영업일": 1.4, "주": 7.0, "주일": 7.0, "개월": 30.4, "년": 365.0}
_HOURS = {"분": 1 / 60, "시간": 1.0}
# Values that statutes commonly use, by unit: wrong options come from these.
_LADDERS: dict[str, tuple[int, ...]] = {
    "일": (3, 5, 7, 10, 14, 15, 20, 30, 40, 50, 60, 90, 120, 180),
    "영업일": (1, 2, 3, 5, 7, 10, 15, 20),
    "주": (1, 2, 3, 4, 6),
    "주일": (1, 2, 3, 4),
    "개월": (1, 2, 3, 4, 6, 9, 12, 18),
    "년": (1, 2, 3, 4, 5, 7, 10, 15, 20, 30),
    "시간": (1, 2, 4, 6, 12, 24, 36, 48, 72),
    "분": (5, 10, 15, 20, 30, 40, 60),
    "명": (1, 2, 3, 5, 7, 9, 10, 15, 20, 25, 30, 50, 100),
    "인": (1, 2, 3, 5, 7, 9, 10, 15, 20, 30, 50),
    "회": (1, 2, 3, 4, 5, 6, 10),
    "배": (2, 3, 4, 5, 10),
    "퍼센트": (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90),
    "분의": (1, 2, 3, 5, 7, 8, 10, 15, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90),
}
_WON = {"조": 10**12, "억": 10**8, "만": 10**4}
_SMALL = {"천": 1000, "백": 100, "십": 10}
_NICE = (1, 2, 3, 5)
_END = r"(?=\s|[이의을를간까부마,.로에동전후당안내]|$)"
_PATTERN = re.compile(
    r"(?P<ratio>(?:100|1천|1,000|1만)분의 ?\d+)(?!\d)"
    r"|(?<![\d제조,.])(?P<won>\d[\d,]*(?:[천백십]?(?:조|억|만|천|백))[\d천백십만억]{0,30}\s?원)"
    r"|(?<![\d제조.월])(?<!월 )(?P<number>\d{1,3})\s?"
    r"(?P<unit>영업일|개월|주일|퍼센트|년|주|일|시간|분(?!의)|명|인|회|배)" + _END
)
# `1개월 또는 수개월`: any other number of them is true too.
_INDEFINITE = re.compile(
    r"(?<![가-힣])(?:수 ?(?:개월|년|일|주|시간|명|인|회|배|차|개)(?![가-힣]*[업료])"
    r"|여러|상당한 (?:기간|금액|수))"
)
# Characters on each side of a figure in which an indefinite one belongs to it.
_NEARBY = 12
_QUESTION_WORDS = {"일": "며칠", "영업일": "몇 영업일", "퍼센트": "몇 퍼센트"}


@dataclass(frozen=True)
class Figure:
    """A figure in a text.

    `start` and `end` are character positions of `text`. `value` is in the base unit of `dimension`
    (days, hours, won, a share from 0 to 1, people, or the unit itself).
    """

    start: int
    end: int
    text: str
    dimension: str
    value: float
    unit: str


def parse_won(text: str) -> int:
    """Return the value in won of an amount as statutes write it:
    `5천만원`, `1억5천만원`, `10,000원`.
    """
    bare = re.sub(r"[,\s원]", "", text)
    total = section = number = 0
    for token in re.findall(r"\d+|[조억만천백십]", bare):
        if token.isdigit():
            number = int(token)
        elif token in _SMALL:
            section += (number or 1) * _SMALL[token]
            number = 0
        else:
            total += ((section + number) or 1) * _WON[token]
            section = number = 0
    return total + section + number


def format_won(value: int) -> str:
    """Return an amount in won as statutes write it (`50000000` → `5천만원`)."""
    out = ""
    for mark, size in _WON.items():
        count, value = divmod(value, size)
        if count >= 1000 and count % 1000 == 0:
            out += f"{count // 1000}천{mark}"
        elif count:
            out += f"{count}{mark}"
    return out + (str(value) if value else "") + "원"


def find_figures(text: str) -> list[Figure]:
    """Return the figures of a text in order, without dates, article numbers and calendar years.

    A figure next to an indefinite one (`1개월 또는 수개월`) is left out.
    """
    out = []
    for match in _PATTERN.finditer(text):
        nearby = text[max(match.start() - _NEARBY, 0) : match.end() + _NEARBY]
        if _INDEFINITE.search(nearby):
            continue
        words = match.group(0)
        if match.group("ratio"):
            head, part = words.split("분의")
            whole = {"100": 100, "1천": 1000, "1,000": 1000, "1만": 10000}[head]
            found = Figure(match.start(), match.end(), words, "ratio", int(part) / whole, "분의")
        elif match.group("won"):
            found = Figure(match.start(), match.end(), words, "won", parse_won(words), "원")
        else:
            found = _counted(match)
        out.append(found)
    return out


def _counted(match: re.Match[str]) -> Figure:
    """Return a figure with a counting unit (일, 명, 퍼센트 …)."""
    unit, number = match.group("unit"), int(match.group("number"))
    dimension, value = unit, float(number)
    if unit in _DAYS:
        dimension, value = "days", number * _DAYS[unit]
    elif unit in _HOURS:
        dimension, value = "hours", number * _HOURS[unit]
    elif unit == "퍼센트":
        dimension, value = "ratio", number / 100
    elif unit in ("명", "인"):
        dimension = "people"
    return Figure(match.start(), match.end(), match.group(0), dimension, value, unit)


def near_values(figure: Figure, rng: random.Random, count: int = 6) -> list[str]:
    """Return at most `count` figures close to the true one, nearest first,
    as statutes write them.
    """
    if figure.dimension == "won":
        return _near_won(int(figure.value), rng, count)
    number = int(re.findall(r"\d+", figure.text)[-1])
    ladder = [n for n in _LADDERS[figure.unit] if n != number]
    position = sum(1 for n in ladder if n < number)
    ranked = sorted(
        range(len(ladder)),
        key=lambda i: abs((i if i < position else i + 1) - position) + rng.random() * 1.5,
    )
    cut = figure.text.rindex(str(number))
    tail = figure.text[cut + len(str(number)) :]
    return [figure.text[:cut] + str(ladder[i]) + tail for i in ranked[:count]]


def _near_won(value: int, rng: random.Random, count: int) -> list[str]:
    """Return round amounts on both sides of `value`, in random order."""
    nice = [lead * 10**power for power in range(3, 15) for lead in _NICE]
    below = [n for n in nice if n < value][-3:]
    above = [n for n in nice if n > value][:3]
    found = [*below, *above]
    rng.shuffle(found)
    return [format_won(n) for n in found[:count]]


def clearly_differ(first: Figure, second: Figure) -> bool:
    """Return whether two figures of one dimension differ by more than 7 %
    (12개월 and 1년 do not).
    """
    high, low = max(first.value, second.value), min(first.value, second.value)
    return low == 0 or high / low > 1.07


def is_half(sentence: str, figure: Figure) -> bool:
    """Return whether the figure is a part of a longer one: the year of `1년 6개월 이내`."""
    after = re.match(r" ?\d{1,3} ?(?:개월|월|일|분)", sentence[figure.end :])
    before = re.search(r"\d ?(?:년|개월|시간) ?$", sentence[: figure.start])
    return figure.dimension in ("days", "hours") and bool(after or before)


def question_word(figure: Figure) -> str:
    """Return the word that asks for a figure (며칠, 몇 년 …); empty where none reads well."""
    if figure.unit == "원":
        return "얼마"
    if figure.unit == "분의":
        return f"{figure.text.split('분의')[0]}분의 몇"
    if figure.unit not in _LADDERS:
        return ""
    return _QUESTION_WORDS.get(figure.unit, f"몇 {figure.unit}")
