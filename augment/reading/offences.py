"""Read the offences of an act: what is punished, by which 호, with which sanction."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause, simplify
from kofinlaw.augment.reading.figures import find_figures, near_values

__all__ = ["LONGEST_OFFENCE", "SHORTEST_VIOLATION", "Offence", "changed_sanctions", "read_offences"]

LONGEST_OFFENCE = 80
# `필요한 조치를 하지 아니한 자` may violate several articles; a longer text identifies its own.
SHORTEST_VIOLATION = 18
_MONEY = r"\d[\d,천백십억만]{0,30}\s?원"
_SANCTION = re.compile(
    rf"(?:(?<!\d)\d+년 이하의 (?:징역|금고)(?:(?:이나| 또는) {_MONEY} 이하의 벌금)?"
    rf"|{_MONEY} 이하의 (?:벌금|과태료))"
)
_VIOLATES = re.compile(
    r"^(?P<article>제\d+조(?:의\d+)?(?:제\d+항)?(?:제\d+호)?)[을를] 위반하여 (?P<violation>.+)$"
)
_POINTS_ELSEWHERE = re.compile(r"같은 [조항호]|동[조항]|각 ?호|이 조")
_OFFENCE_END = re.compile(r"(자|행위|경우|사람)$")


@dataclass(frozen=True)
class Offence:
    """A 호 of a penal clause.

    `text` is the whole 호; `violation` is what was done; `article` is the violated provision
    (`제3조제2항제1호`), empty where the 호 names none; `sanction` is the penalty.
    """

    clause: Clause
    text: str
    violation: str
    article: str
    sanction: str

    @property
    def article_number(self) -> str:
        """The violated article up to 조 (`제3`), without its 항 and 호."""
        return self.article.split("조")[0]


def read_offences(law: Law) -> list[Offence]:
    """Return the short offences of the act whose clause names exactly one sanction."""
    out = []
    for clause in law.clauses:
        sanctions = _SANCTION.findall(clause.main)
        if len(sanctions) != 1 or "각 호" not in clause.main or clause.restricted:
            continue
        for item in clause.items:
            text, restricted = simplify(item)
            text = text.rstrip(". ")
            if (
                restricted
                or _POINTS_ELSEWHERE.search(text)
                or len(text) > LONGEST_OFFENCE
                or not _OFFENCE_END.search(text)
            ):
                continue
            match = _VIOLATES.match(text)
            violation = match.group("violation") if match else text
            article = match.group("article") if match else ""
            out.append(Offence(clause, text, violation, article, sanctions[0]))
    return out


def changed_sanctions(sanction: str, rng: random.Random) -> list[str]:
    """Return the sanction with one of its figures changed, in random order."""
    out = []
    for figure in find_figures(sanction):
        for text in near_values(figure, rng, 3):
            out.append(sanction[: figure.start] + text + sanction[figure.end :])
    rng.shuffle(out)
    return out
