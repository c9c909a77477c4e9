"""Find the slots of a legal sentence (figure, bound, actor, act …) and count contradictions.

Options of an exam often copy a provision and change one slot. Two sentences contradict each other
in a slot if both fill it and the first one has a value that the second one does not have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["SLOT_KINDS", "Slots", "contradictions", "find_slots"]

SLOT_KINDS = (
    "figure",
    "bound",
    "instrument",
    "act",
    "actor",
    "subject",
    "frequency",
    "universal",
    "negation",
)

_DOTS = str.maketrans({"⋅": "ㆍ", "·": "ㆍ", "･": "ㆍ", "‧": "ㆍ", "∙": "ㆍ"})
_UNIT = (
    "영업일|개월|주일|시간|년|월|주|일|분|초|조원|억원|만원|원|명|인|퍼센트|%|제곱미터|㎡|킬로미터|"
    "센티미터|밀리미터|미터|킬로그램|톤|리터|배|회|급|층|점|대|차"
)
_FIGURE = re.compile(
    rf"(?<![\d제조.])(\d[\d,]*(?:\.\d+)?)\s*((?:[천백십]?[조억만천백](?=\s*\d*[천백십만억]*\s*원))*)"
    rf"\s*({_UNIT})(?![가-힣]*조)"
)
_RATIO = re.compile(r"(\d[\d,천만]*)\s*분의\s*(\d+)")
_BOUND = re.compile(r"\s*(?:을|를|의)?\s*(이상|이하|초과|미만|이내|넘)")
_INSTRUMENT = re.compile(r"(대통령령|총리령|[가-힣]{2,10}부령|조례|대법원규칙|국회규칙|고시|정관)")
_ACT = re.compile(
    r"[「『'‘\"“]\s*([가-힣ㆍ\s]{1,40}?(?:법률|법|법 시행령|법 시행규칙|규정))\s*[」』'’\"”]"
)
_ACTOR = re.compile(
    r"([가-힣ㆍ]*(?:장관|청장|본부장|서장|대장|소장|원장|회장|위원장|위원회|도지사|시장|군수|구청장|"
    r"시ㆍ도|협회|공단|공사|공제회|안전원|보험원|감독원|결제원|연구원|진흥원|국가|지방자치단체|대통령|"
    r"국무총리|회사|사업자|업자|금융기관|은행|정보주체|이용자|법원|관계인|소유자|점유자|관리자|처리자|"
    r"제공자|책임자|대리인|이사회|주주총회|검사|기관|정부))"
    r"(?=(?:은|는|이|가|에게|에|을|를|의|와|과|으로|로|ㆍ)?(?:[\s,.)]|$))"
)
_SUBJECT = re.compile(_ACTOR.pattern.partition("(?=")[0] + r"(?=[은는이가](?:\s|$))")
_FREQUENCY = re.compile(
    r"(매년|매월|매분기|매반기|분기별|반기별|\d+\s*년마다|\d+\s*개월마다|수시로|즉시|지체\s*없이)"
)
_UNIVERSAL = re.compile(
    r"(모든|전부|항상|언제나|반드시|어떠한\s*경우|예외\s*없이|무조건|오직|에\s*한하여|에\s*한정|만을|"
    r"(?<!다)만(?=\s))"
)
_NEGATION = re.compile(
    r"(않아도|아니하여도|없이|없다|없는|않는|아니하|않은|아니한|않다|무시|면제|불필요|금지|제외|무관|"
    r"못하|못한|아니\s*된다|안\s*된다|안된다)"
)


@dataclass(frozen=True, slots=True)
class Slots:
    """The values of a sentence by slot.

    - `figures` are (unit, number), `bounds` (unit, number, bound word).
    - `instruments` are what delegates (`대통령령`), `acts` the titles in quotes.
    - `actors` are persons and bodies, `subjects` those with 은, 는, 이 or 가.
    - `frequencies` are words such as `매년`.
    - `universal` and `negative` say whether the sentence has such a word.
    """

    figures: frozenset[tuple[str, str]]
    bounds: frozenset[tuple[str, str, str]]
    instruments: frozenset[str]
    acts: frozenset[str]
    actors: frozenset[str]
    subjects: frozenset[str]
    frequencies: frozenset[str]
    universal: bool
    negative: bool


@lru_cache(maxsize=50_000)
def find_slots(text: str) -> Slots:
    """Return the slots of a sentence."""
    text = text.translate(_DOTS)
    figures: set[tuple[str, str]] = set()
    bounds: set[tuple[str, str, str]] = set()
    for match in _FIGURE.finditer(text):
        unit, number = match[3], match[1].replace(",", "") + match[2].replace(" ", "")
        figures.add((unit, number))
        if bound := _BOUND.match(text, match.end()):
            bounds.add((unit, number, bound[1]))
    for whole, part in _RATIO.findall(text):
        figures.add((f"{whole}분의", part))
    return Slots(
        frozenset(figures),
        frozenset(bounds),
        frozenset(_INSTRUMENT.findall(text)),
        frozenset("".join(title.split()) for title in _ACT.findall(text)),
        frozenset(_ACTOR.findall(text)),
        frozenset(_SUBJECT.findall(text)),
        frozenset("".join(word.split()) for word in _FREQUENCY.findall(text)),
        bool(_UNIVERSAL.search(text)),
        bool(_NEGATION.search(text)),
    )


def contradictions(statement: str, line: str) -> Mapping[str, int]:
    """Return by kind (`SLOT_KINDS`) how many slots of the statement the line contradicts.

    `universal` and `negation` are 1 if only the statement has such a word: it claims more than the
    line, or denies it.
    """
    said, shown = find_slots(statement), find_slots(line)
    packed = "".join(line.translate(_DOTS).split())

    def absent(words: frozenset[str], others: frozenset[str]) -> int:
        return sum(word not in packed for word in words) if others else 0

    numbers: dict[str, set[str]] = {}
    for unit, number in shown.figures:
        numbers.setdefault(unit, set()).add(number)
    limits: dict[tuple[str, str], set[str]] = {}
    for unit, number, bound in shown.bounds:
        limits.setdefault((unit, number), set()).add(bound)
    return {
        "figure": sum(number not in numbers.get(unit, {number}) for unit, number in said.figures),
        "bound": sum(
            bound not in limits.get((unit, number), {bound}) for unit, number, bound in said.bounds
        ),
        "instrument": absent(said.instruments, shown.instruments),
        "act": absent(said.acts, shown.acts),
        "actor": absent(said.actors, shown.actors),
        "subject": sum(actor in shown.actors - shown.subjects for actor in said.subjects)
        if shown.subjects
        else 0,
        "frequency": absent(said.frequencies, shown.frequencies),
        "universal": int(said.universal and not shown.universal),
        "negation": int(said.negative and not shown.negative),
    }
