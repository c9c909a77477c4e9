"""Deadlines, amounts, ratios, numbers of people: questions with near options in the law's units."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.clauses import Clause, as_question, simplify
from kofinlaw.augment.generators.drafts import Draft, cite, distinct, law_name, source_rng

_DAYS = {"일": 1.0, "영업일": 1.4, "주": 7.0, "주일": 7.0, "개월": 30.4, "년": 365.0}
_HOURS = {"분": 1 / 60, "시간": 1.0}
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
    r"|(?<![\d제조,.])(?P<won>\d[\d,]*(?:[천백십]?(?:조|억|만|천|백))[\d천백십만억]*\s?원)"
    r"|(?<![\d제조.월])(?<!월 )(?P<number>\d{1,3})\s?"
    r"(?P<unit>영업일|개월|주일|퍼센트|년|주|일|시간|분|명|인|회|배)" + _END
)
LONGEST_SENTENCE = 160
# `제1호 외의 자: (   ) 이상`: nobody sees who that is.
_POINTS = re.compile(r"제\d+호")
_ASKS = {"일": "며칠", "영업일": "몇 영업일", "퍼센트": "몇 퍼센트"}


@dataclass(frozen=True)
class Quantity:
    """A figure in a text: its span, words, dimension and value in the dimension's base unit."""

    start: int
    end: int
    text: str
    dimension: str
    value: float
    unit: str


def won(text: str) -> int:
    """The value of an amount as statutes write it: `5천만원`, `1억5천만원`, `10,000원`."""
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


def won_text(value: int) -> str:
    """An amount as statutes write it (`50000000` → `5천만원`)."""
    out = ""
    for mark, size in _WON.items():
        count, value = divmod(value, size)
        if count >= 1000 and count % 1000 == 0:
            out += f"{count // 1000}천{mark}"
        elif count:
            out += f"{count}{mark}"
    return out + (str(value) if value else "") + "원"


def quantities(text: str) -> list[Quantity]:
    """The figures of a text in order; dates, article numbers and years of the calendar are not."""
    out = []
    for match in _PATTERN.finditer(text):
        words = match.group(0)
        if match.group("ratio"):
            head, part = words.split("분의")
            whole = {"100": 100, "1천": 1000, "1,000": 1000, "1만": 10000}[head]
            found = Quantity(match.start(), match.end(), words, "ratio", int(part) / whole, "분의")
        elif match.group("won"):
            found = Quantity(match.start(), match.end(), words, "won", won(words), "원")
        else:
            found = _counted(match)
        out.append(found)
    return out


def _counted(match: re.Match[str]) -> Quantity:
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
    return Quantity(match.start(), match.end(), match.group(0), dimension, value, unit)


def near(quantity: Quantity, rng: random.Random, count: int = 6) -> list[str]:
    """Figures close to the true one, written as the law writes them, the nearest first."""
    if quantity.dimension == "won":
        return _near_won(int(quantity.value), rng, count)
    number = int(re.findall(r"\d+", quantity.text)[-1])
    ladder = [n for n in _LADDERS[quantity.unit] if n != number]
    place = sum(1 for n in ladder if n < number)
    ranked = sorted(
        range(len(ladder)),
        key=lambda i: abs((i if i < place else i + 1) - place) + rng.random() * 1.5,
    )
    cut = quantity.text.rindex(str(number))
    tail = quantity.text[cut + len(str(number)) :]
    return [quantity.text[:cut] + str(ladder[i]) + tail for i in ranked[:count]]


def _near_won(value: int, rng: random.Random, count: int) -> list[str]:
    nice = [lead * 10**power for power in range(3, 15) for lead in _NICE]
    below = [n for n in nice if n < value][-3:]
    above = [n for n in nice if n > value][:3]
    found = [*below, *above]
    rng.shuffle(found)
    return [won_text(n) for n in found[:count]]


def differ(first: Quantity, second: Quantity) -> bool:
    """Whether two figures of one dimension are clearly apart (12개월 and 1년 are not)."""
    high, low = max(first.value, second.value), min(first.value, second.value)
    return low == 0 or high / low > 1.07


def options_near(quantity: Quantity, around: str, rng: random.Random) -> list[str]:
    """Wrong figures: those the surrounding text holds first, then near ones."""
    here = [
        q.text
        for q in quantities(around)
        if q.dimension == quantity.dimension and differ(q, quantity)
    ]
    rng.shuffle(here)
    seen = [quantity]
    out = []
    for text in [*here[:3], *near(quantity, rng)]:
        parsed = quantities(text)
        if len(parsed) == 1 and all(differ(parsed[0], other) for other in seen):
            seen.append(parsed[0])
            out.append(text.strip())
    return out


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """One question for each figure that a short enough sentence holds."""
    for clause in law.clauses:
        if _is_penal(clause):
            continue
        rng = source_rng(seed, "quantity", clause.article.id, clause.label)
        for sentence in (clause.main, clause.proviso, *clause.rest, *map(_plain, clause.items)):
            yield from _ask(law, clause, sentence, rng)


def _plain(item: str) -> str:
    return simplify(item)[0]


def _is_penal(clause: Clause) -> bool:
    return bool(re.search(r"벌칙|과태료|과징금|부칙|시행일", clause.article.heading))


def _ask(law: Law, clause: Clause, sentence: str, rng: random.Random) -> Iterator[Draft]:
    if not 20 <= len(sentence) <= LONGEST_SENTENCE or _POINTS.match(sentence):
        return
    found = quantities(sentence)
    for quantity in found:
        if sentence.count(quantity.text) > 1 or any(
            not differ(quantity, q)
            for q in found
            if q is not quantity and q.dimension == quantity.dimension
        ):
            continue
        wrong = distinct(quantity.text, options_near(quantity, clause.article.text, rng))
        question = _question(clause, sentence, quantity, rng)
        if question:
            wrong = tuple(w for w in wrong if quantities(w)[0].unit == quantity.unit)
        if len(wrong) < 3:
            continue
        yield Draft(
            kind="quantity",
            stem=question or _blank(law, clause, sentence, quantity, rng),
            answer=quantity.text,
            distractors=wrong,
            units=(clause.article.id,),
            focus=(sentence[max(quantity.start - 12, 0) : quantity.end],),
            numeric=True,
            document=law.title,
        )


def _question(clause: Clause, sentence: str, quantity: Quantity, rng: random.Random) -> str:
    """The sentence as a question (며칠, 몇 년 …), for some of those that can be asked so."""
    if quantity.unit not in _LADDERS or quantity.unit == "분의" or rng.random() > 0.4:
        return ""
    words = _ASKS.get(quantity.unit, f"몇 {quantity.unit}")
    question = as_question(sentence[: quantity.start] + words + sentence[quantity.end :])
    if not question or sentence != clause.main:
        return ""
    return f"{cite(clause, rng)}에 따르면, {question}"


def _blank(law: Law, clause: Clause, sentence: str, quantity: Quantity, rng: random.Random) -> str:
    blank = sentence[: quantity.start] + "(   )" + sentence[quantity.end :]
    # A 호 or 다만 alone does not say what the figure is about; the heading does.
    heading = f"({clause.article.heading})" if clause.article.heading else ""
    place = f"{clause.article.number}{heading}{clause.label}"
    where = cite(clause, rng) if sentence == clause.main else f"{law_name(law.title)} {place}"
    return f'{where}의 다음 빈칸에 알맞은 것은? "{blank}"'
