"""Decide which figures and bounds make a sentence false.

The rules are those of `falsity`: in doubt a figure is not used.
"""

from __future__ import annotations

import random
import re

from kofinlaw.augment.reading.endings import allows
from kofinlaw.augment.reading.figures import Figure, clearly_differ, find_figures, near_values

__all__ = ["bound_makes_false", "figure_makes_false", "other_figures"]

# `1년간 1천만원을 넘을 수 없다`: a limit for each period, and a sentence that bars or limits.
_WINDOW = re.compile(r"\s?(?:간|동안|마다|당|중|에) ")
_LIMITS = re.compile(
    r"(?:초과|넘)[가-힣]{0,20}(?: 수)? ?(?:없|못|아니|않)|한도|(?<=[\d원명인회배트] )이[하내](?!에)"
    r"|(?<=[원명인회배트])이[하내](?!에)"
)
_BARS = re.compile(r"(?:서는 (?:아니 ?|안 ?)된다|수 없다|지 못한다|지 (?:아니한|않는)다|없다)$")
_UPPER = re.compile(r"\s?(?:이하|이내|미만|까지|[을를] (?:초과|넘)[가-힣]*지|의 범위)")
_LOWER = re.compile(r"\s?(?:이상|초과|[을를] (?:초과|넘))")
_DEFINES = re.compile(r"(?:말한다|으?로 한다|이다|이란다)$")


def other_figures(figure: Figure, around: str, rng: random.Random, count: int = 6) -> list[str]:
    """Return the figures that clearly differ from the true one and from each other.

    Up to three figures of the surrounding text come first, then at most `count` near ones.
    """
    here = [
        other.text
        for other in find_figures(around)
        if other.dimension == figure.dimension and clearly_differ(other, figure)
    ]
    rng.shuffle(here)
    seen = [figure]
    out = []
    for text in [*here[:3], *near_values(figure, rng, count)]:
        parsed = find_figures(text)
        if len(parsed) == 1 and all(clearly_differ(parsed[0], other) for other in seen):
            seen.append(parsed[0])
            out.append(text.strip())
    return out


def figure_makes_false(sentence: str, figure: Figure, other: Figure) -> bool:
    """Return whether the sentence with `other` in place of `figure` says something else.

    It does not where it follows from the true one: who may do something within 20 days may also do
    it within 10; what is forbidden above 10 percent is also forbidden above 15; what may not exceed
    a sum in a year may not exceed it in 15 days either. A duty sets its figure: `30일 이내에 보고
    하여야 한다` is taken as false where the law says 20 days, as exams take it.
    """
    tail = sentence[figure.end : figure.end + 10]
    if _WINDOW.match(tail) and figure.dimension in ("days", "hours") and _LIMITS.search(sentence):
        return False
    granted, barred = allows(sentence), _BARS.search(sentence.rstrip(". ")) is not None
    if not granted and not barred:
        return True
    upper = bool(_UPPER.match(tail))
    lower = bool(_LOWER.match(tail)) and not upper
    if granted:
        return (upper and other.value > figure.value) or (lower and other.value < figure.value)
    return lower and other.value < figure.value


def bound_makes_false(sentence: str, figure: Figure | None, bound: str, other: str) -> bool:
    """Return whether the sentence with another bound after its figure says something else.

    `figure` is None for a fraction. What holds from 10 on also holds above 10, so that 이상 and
    초과 (이하 and 미만) exclude each other only where the sentence defines (…를 말한다). The length
    of an act (`5년 이상 보존하여야 한다`) has no upper bound that anybody would write.
    """
    if {bound, other} in ({"이상", "초과"}, {"이하", "미만"}):
        return bool(_DEFINES.search(sentence.rstrip(". ")))
    lasting = figure is not None and figure.dimension in ("days", "hours")
    after = sentence[figure.end :] if figure is not None else ""
    return not (lasting and re.match(rf" ?{bound}(?:,| (?!의 ))", after))
