"""Read the parties and bodies of a text with their roles: who acts, towards whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["NAME_ENDING", "Actor", "Role", "read_actors"]

Role = Literal["agent", "addressee", "approver", "other"]

NAME_ENDING = re.compile(
    r"(위원회|위원장|원장|장관|회사|회사등|업자|기관|센터|이용자|주체|처리자|제공자|사업자|은행|법인|조합|협회|중앙회|"
    r"책임자|담당자|대리인|관리인|발행자|관리기관|평가기관|인증기관|대통령|청장|시장|가맹점|가입자|소비자|채무자|"
    r"채권자|임원|이사회|감사|회장|총재|공사|진흥원|보험회사|신탁업자|주주|대주주|심의회|분과위원회|사무국장|위원|"
    r"임직원|직원|은행장|부서|부서장|본부장|대응반|보호부|감사부|금융부|전산부|운영부|관리부|고객|차주|"
    r"보험설계사|계약자|수익자|위탁자|수탁자|지급인|수취인|법원|검사|청산인|조합원|운영자|정부|국가|지방자치단체|인증사업자)$"
)
"""How the name of a party or office ends."""

# Names that people shorten.
_SHORT = {
    "금융위": "금융위원회",
    "금감원": "금융감독원",
    "금감원장": "금융감독원장",
    "공정위": "공정거래위원회",
    "개보위": "개인정보보호위원회",
    "보호위": "보호위원회",
    "한은": "한국은행",
    "과기정통부장관": "과학기술정보통신부장관",
    "기재부장관": "기획재정부장관",
}
_WORD = re.compile(r"[가-힣ㆍ·A-Za-z]+")
_JOINS = ("과", "와", "이나", "나", "이며")
_PARTICLES: tuple[tuple[str, Role], ...] = (
    ("에게서는", "addressee"),
    ("으로부터", "addressee"),
    ("로부터", "addressee"),
    ("에게는", "addressee"),
    ("에게도", "addressee"),
    ("에게", "addressee"),
    ("한테", "addressee"),
    ("에는", "addressee"),
    ("에서", "agent"),
    ("께서", "agent"),
    ("만이", "agent"),
    ("께", "addressee"),
    ("에", "addressee"),
    ("은", "agent"),
    ("는", "agent"),
    ("이", "agent"),
    ("가", "agent"),
    ("만", "agent"),
    ("등은", "agent"),
    ("등이", "agent"),
    ("등에", "addressee"),
    ("등에게", "addressee"),
    ("인", "other"),
    ("의", "other"),
    ("을", "other"),
    ("를", "other"),
    ("으로", "other"),
    ("로", "other"),
    ("도", "other"),
    ("등", "other"),
)
_BY_LENGTH = tuple(sorted(_PARTICLES, key=lambda pair: -len(pair[0])))
_BY = re.compile(r"\s?의(?:하여|해)")
_ASKED = re.compile(r"\s(?:사전\s)?(?:승인|허가|인가|동의|명령|요청|요구|심의|의결|추천|확인|인정)")


@dataclass(frozen=True, slots=True)
class Actor:
    """A party or body by its name in one spelling, and its role in the sentence."""

    name: str
    role: Role


def read_actors(text: str) -> list[Actor]:
    """Return the parties of a text in order, each name and role once.

    The particle decides the role: 은, 는, 이, 가 for who acts; 에게, 에, 로부터 for the other side;
    `에 의하여` for who acts; `의 승인을` for whose approval or demand it takes. Names that 또는,
    및, 과 or ㆍ join have the role of the last.
    """
    out: list[Actor] = []
    waiting: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0]
        if word in ("또는", "및", "혹은"):
            continue
        names, role, joins = _split(word)
        if not names:
            waiting = []
            continue
        if role == "addressee" and word.endswith("에") and _BY.match(text, match.end()):
            role = "agent"
        if role == "other" and word.endswith("의") and _ASKED.match(text, match.end()):
            role = "approver"
        after = text[match.end() :].lstrip()
        if joins or (role is None and after.startswith(("또는 ", "및 ", "혹은 ", ", "))):
            waiting += names
            continue
        for name in (*waiting, *names):
            actor = Actor(_SHORT.get(name, name), role or "other")
            if actor not in out:
                out.append(actor)
        waiting = []
    out += [
        actor for name in waiting if (actor := Actor(_SHORT.get(name, name), "other")) not in out
    ]
    return out


def _split(word: str) -> tuple[list[str], Role | None, bool]:
    """Return (names, role, whether it is joined with the next word); no name if it has none."""
    if _is_name(word):
        return _members(word), None, False
    for join in _JOINS:
        bare = word.removesuffix(join)
        if bare != word and _is_name(bare):
            return _members(bare), None, True
    for particle, role in _BY_LENGTH:
        bare = word.removesuffix(particle)
        if bare != word and _is_name(bare):
            return _members(bare), role, False
    return [], None, False


def _is_name(word: str) -> bool:
    return word in _SHORT or bool(NAME_ENDING.search(word))


def _members(word: str) -> list[str]:
    pieces = re.split("[ㆍ·]", word.removesuffix("등"))
    return pieces if all(map(_is_name, pieces)) else [word.removesuffix("등")]
