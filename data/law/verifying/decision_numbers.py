"""Find the numbers of court decisions: `대법원 2010. 12. 9. 선고 2010도11015 판결`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern

__all__ = ["DECISION", "DecisionMention", "decision_key", "decision_mentions"]

# The signs of case numbers of older decisions, whose year may have two digits: Supreme Court, lower
# courts, Constitutional Court.
_SIGNS = (
    "재다|재도|재두|재누|재나|재가합|카기|카합|카단|카담|카허|가합|가단|가소|고합|고단|고정|고약|구합|구단|"
    "느합|느단|드합|드단|르|므|브|스|으|즈합|즈단|나|다|라|마|그|도|로|모|오|노|초기|초적|초|감도|감노|전도|"
    "두|누|루|무|부|아|후|허|흐|추|쿠|준|수|우|헌가|헌나|헌다|헌라|헌마|헌바|헌사|헌아"
)
# Signs that count with a year of four digits only: enforcement, insolvency, orders to pay,
# conciliation, protection, and the signs of a retrial.
_MORE_SIGNS = (
    "타경|타채|타기|타배|타인|카공|카열|카불|카조|카구|카소|카임|카확|카명|카정|차전|"
    "회합|회단|회확|회기|간회합|간회단|하합|하단|하면|하확|하기|개회|개확|개기|비합|비단|즈기|"
    "고약전|초보|초재|초사|초합|초단|감고|감로|감모|감오|감초|전고|전노|전로|전모|전오|전초|치고|치노|치도|"
    "준재가합|준재가단|준재나|준재다|재가단|재가소|재고합|재고단|재구합|재구단|재노|재허|재후|재르|재므|재드|"
    "재라|재마|재머|동버|동서|동어|동처|푸초|정라|정마|정모|정로|정스|정브|준아|수흐|"
    "구|드|느|머|자|차|러|바|츠|너|보|코|사|인|주|버|서|어|저|푸|크|트|처|커|터|성|과|책|히"
)
_ALL_SIGNS = "|".join(sorted(f"{_SIGNS}|{_MORE_SIGNS}".split("|"), key=len, reverse=True))
DECISION = re.compile(
    rf"(?<![\d.])(?P<year>(?:19|20)\d\d|[4-9]\d(?=\s?(?:{_SIGNS})\s?\d))(?P<gap>\s?)(?P<sign>{_ALL_SIGNS})"
    r"(?P<apart>\s?)(?P<number>\d{1,7})(?!\d)"
)
_FIRST = "".join(sorted({one[0] for one in _ALL_SIGNS.split("|")}))
# A digit that a number can begin with: a year, and a sign behind it.
_YEAR = re.compile(rf"[124-9](?<![\d.].)(?=\d(?:\d\d)?\s?[{_FIRST}])")
_NUMBERS = AnchoredPattern(_YEAR, DECISION)
# A number with blanks in it counts only next to one of these: `선고 2010 다 1234 판결`.
_DECIDED = re.compile(
    r"\s?(?:,\s?\d{1,7}\s?)*(?:\((?:병합|반소|본소)\)\s?)?(?:전원합의체\s?)?(?:판결|결정|사건)"
)
_PRONOUNCED = re.compile(r"(?:선고|\d\.?\s?자|법원|지원|헌재)\s*$")
_DAY_BEFORE = re.compile(
    r"(?:(?P<court>대법원|대판|대결|헌법재판소|헌재|[가-힣]{2,8}(?:법원|지원))(?:\s*전원합의체)?\s*)?"
    r"(?P<y>(?:19|20)\d\d)\s?\.\s?(?P<m>\d{1,2})\s?\.\s?(?P<d>\d{1,2})\s*+[.,]{0,2}+\s*+(?:자|선고)?+\s*+$"
)
_COURT_BEFORE = re.compile(r"(?P<court>대법원|대판|대결|헌법재판소|헌재)\s*$")


# A further number of the same decision: `2010도11015, 11016(병합) 판결`.
_FURTHER = re.compile(
    r"\s?,\s?(?P<number>\d{1,7})(?=\s?(?:,\s?\d{1,7}\b|\((?:병합|반소|본소)|판결|결정|전원합의체))"
)


@dataclass(frozen=True, slots=True)
class DecisionMention:
    """A number of a decision in a text: its key, its offsets, and the day and court before it.

    `day` is an ISO day, or empty; the offsets include day and court.
    """

    key: str
    start: int
    end: int
    day: str
    court: str


def decision_key(match: re.Match[str]) -> str:
    """Return the number in one spelling: `97다1234` and `1997다1234` are one."""
    year = match["year"]
    return f"{year if len(year) == 4 else f'19{year}'}{match['sign']}{int(match['number'])}"


def decision_mentions(text: str) -> Iterator[DecisionMention]:
    """Yield the numbers of decisions in a text, in order."""
    for match in _NUMBERS.finditer(text):
        if (match["gap"] or match["apart"]) and not (
            _DECIDED.match(text, match.end())
            or _PRONOUNCED.search(text, max(0, match.start() - 8), match.start())
        ):
            continue
        low = max(0, match.start() - 48)
        before = _DAY_BEFORE.search(text, low, match.start())
        named = before or _COURT_BEFORE.search(text, low, match.start())
        day = ""
        if before is not None:
            day = f"{before['y']}-{int(before['m']):02d}-{int(before['d']):02d}"
        court = (named["court"] or "") if named else ""
        start = named.start() if named else match.start()
        yield DecisionMention(decision_key(match), start, match.end(), day, court)
        key, end = decision_key(match).removesuffix(str(int(match["number"]))), match.end()
        while further := _FURTHER.match(text, end):
            number, end = int(further["number"]), further.end()
            yield DecisionMention(f"{key}{number}", further.start("number"), end, day, court)
