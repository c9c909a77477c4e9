"""Find the names of parties in a sentence of the law: its subject and its addressees."""

from __future__ import annotations

import re
from functools import lru_cache

from kofinlaw.data.korean.words import tag_text
from kofinlaw.data.law.actors import NAME_ENDING

__all__ = ["acting_subject", "addressees", "is_name", "members", "normalize", "subject"]

_NOT_A_NAME = re.compile(
    r"(한|된|는|은|을|를|의|에|로|며|고|른|할|될|하여|에서|으로|거나|하거나|따라|대하여|경우|이나|부터|까지|로서)$"
)
# Short names that mean different bodies in different chapters.
_TOO_GENERAL = frozenset(
    [
        "위원회",
        "위원장",
        "위원",
        "제공자",
        "기관",
        "회사",
        "법인",
        "사업자",
        "센터",
        "조합",
        "협회",
        "회장",
        "임원",
    ]
)
# `해당 금융회사`, `그 위원회`: which one, only the text before says.
_POINTS_BACK = re.compile(
    r"^(?:그|이|저|해당|당해|동|각|모든|어느|다른|같은|위|그러한|이러한|상대방) "
)
# 거래소시장 is a market; 광역시장 is a mayor.
_MARKET = re.compile(r"(?<!특별)(?<!광역)(?<!자치)시장$")
# Kiwi's tags of verbs, endings and of particles other than 와/과.
_CLAUSE_TAGS = ("E", "VV", "VA", "VX", "VC", "JK", "JX")
_SUBJECT = re.compile(
    r"^(?:제\d+항에도 불구하고,? |제\d+항에 따라 )?(?P<name>[^,.]{2,30}?)(?:은|는) "
)
_TOWARDS = re.compile(
    r"(?<=\s)(?P<name>[가-힣ㆍ]{3,16})(?:에게|의 (?:승인|허가|인가|동의|명령)을)(?= )"
)
# `감사는 공사가 선임한다`, `위원회는 9명으로 구성한다`: the topic does nothing here.
_DOES_NOTHING = re.compile(
    r"로 (?:[^을를 ]+(?:을|를)? [가-힣]+ )?구성"
    r"|(?:되어야 한다|에 따른다|된다|본다|[으]?로 한다|이다|의결한다|가진다|진다|속한다"
    r"|[이가] 있다|없다|같다)\.?$"
)
# `공사는 정관에 따라 운영한다`: the topic is the object where the sentence has no other.
_NEEDS_AN_OBJECT = re.compile(
    r"(?:운영|관리|설치|선임|임명|위촉|지정|부과|발행|조성|정|행|실시|개최|소집)"
    r"(?:한다|하여야 한다|할 수 있다)\.?$"
)
_OBJECT = re.compile(r"[가-힣][을를](?= )")
_ACTOR_FOLLOWS = re.compile(
    r"^\S+[가-힣][이가] (?!.*(?:경우|때에?는?|기 전|[가-힣]면|위하여|[는은한할된될]) )"
)
_JOINED = re.compile(r" 및 | 또는 |(?<=[가-힣])(?:[와과]|이?나) ")


def normalize(text: str) -> str:
    """Return the letters and digits of a text only, for comparing."""
    return re.sub(r"[^0-9A-Za-z가-힣]", "", text)


def is_name(text: str) -> bool:
    """Return whether the text is the name of a party or office, without a clause before it.

    `매각대금이 지급되면 법원` is a clause with a party.
    """
    words = text.split()
    if text in _TOO_GENERAL or _POINTS_BACK.search(text) or "그" in words:
        return False
    if _MARKET.search(text):
        return False
    if not words or len(text) > 26 or len(words) > 5 or not NAME_ENDING.search(words[-1]):
        return False
    if any(_NOT_A_NAME.search(w) for w in words[:-1] if w not in ("또는", "및")):
        return False
    return len(words) == 1 or not _holds_clause(" ".join(words[:-1]))


@lru_cache(maxsize=20_000)
def _holds_clause(text: str) -> bool:
    """Return whether the text has a verb, an ending or a particle, by its parts of speech."""
    return any(tag.startswith(_CLAUSE_TAGS) for _, tag, _, _ in tag_text(text))


def subject(sentence: str) -> str:
    """Return the party that the sentence binds; empty where its first words are not a name."""
    match = _SUBJECT.match(sentence)
    name = match.group("name").strip() if match else ""
    return name if name and is_name(name) else ""


def acting_subject(sentence: str) -> str:
    """Return the subject if it does what the sentence says.

    Empty for a topic that only undergoes it: `감사는 공사가 선임한다`, `위원회는 9명으로 구성한다`.
    """
    who = subject(sentence)
    if not who:
        return ""
    rest = sentence[sentence.index(who) + len(who) + 1 :].strip()
    if _NEEDS_AN_OBJECT.search(rest) and not _OBJECT.search(rest):
        return ""
    if _ACTOR_FOLLOWS.search(rest) or (
        _DOES_NOTHING.search(rest) and not rest.rstrip(".").endswith("아니 된다")
    ):
        return ""
    return who


def addressees(sentence: str) -> list[str]:
    """Return the parties towards whom (…에게) or with whose approval
    (…의 승인을) the sentence acts.
    """
    found = []
    for match in _TOWARDS.finditer(sentence):
        before = sentence[: match.start()].rstrip().rsplit(" ", 1)[-1]
        # `정보통신서비스 제공자에게`: a noun before it belongs to the name, and so does 신용정보의.
        # `제공자 또는 이용자에게`: the sentence names the other one of the two, too.
        joined = before in ("또는", "및") or before.endswith("의")
        apart = _NOT_A_NAME.search(before) or before.endswith(",")
        if is_name(match.group("name")) and apart and not joined:
            found.append(match.group("name"))
    return found


def members(name: str) -> list[str]:
    """Return the parties that a joint name lists:
    금융회사ㆍ전자금융업자 및 전자금융보조업자 are three.

    신용정보제공ㆍ이용자 is one party, because not every piece of it is a name.
    """
    out: list[str] = []
    for part in _JOINED.split(name):
        pieces = part.split("ㆍ")
        out += pieces if all(map(is_name, pieces)) else [part]
    return out
