"""Find the numbers of court decisions: `대법원 2010. 12. 9. 선고 2010도11015 판결`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern

__all__ = ["DECISION", "DecisionMention", "decision_key", "decision_mentions"]

# The signs of case numbers: Supreme Court, lower courts, Constitutional Court.
_SIGNS = (
    "재다|재도|재두|재누|재나|재가합|카기|카합|카단|카담|카허|가합|가단|가소|고합|고단|고정|고약|구합|구단|"
    "느합|느단|드합|드단|르|므|브|스|으|즈합|즈단|나|다|라|마|그|도|로|모|오|노|초기|초적|초|감도|감노|전도|"
    "두|누|루|무|부|아|후|허|흐|추|쿠|준|수|우|헌가|헌나|헌다|헌라|헌마|헌바|헌사|헌아"
)
DECISION = re.compile(
    rf"(?<![\d.])(?P<year>(?:19|20)\d\d|[4-9]\d)(?P<sign>{_SIGNS})(?P<number>\d{{1,7}})(?!\d)"
)
# A digit that a number can begin with: a year, and a sign behind it.
_YEAR = re.compile(
    rf"[124-9](?<![\d.].)(?=\d(?:\d\d)?[{''.join(sorted({one[0] for one in _SIGNS.split('|')}))}])"
)
_NUMBERS = AnchoredPattern(_YEAR, DECISION)
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
