"""Find the names of parties in a sentence of the law: its subject and its addressees."""

from __future__ import annotations

import re

from kofinlaw.data.law.actors import NAME_ENDING

__all__ = ["addressees", "is_name", "members", "normalize", "subject"]

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
_SUBJECT = re.compile(
    r"^(?:제\d+항에도 불구하고,? |제\d+항에 따라 )?(?P<name>[^,.]{2,30}?)(?:은|는) "
)
_TOWARDS = re.compile(
    r"(?<=\s)(?P<name>[가-힣ㆍ]{3,16})(?:에게|의 (?:승인|허가|인가|동의|명령)을)(?= )"
)
_JOINED = re.compile(r" 및 | 또는 |(?<=[가-힣])[와과] ")


def normalize(text: str) -> str:
    """Return the letters and digits of a text only, for comparing."""
    return re.sub(r"[^0-9A-Za-z가-힣]", "", text)


def is_name(text: str) -> bool:
    """Return whether the text is the name of a party or office, without a verb in it."""
    words = text.split()
    if text in _TOO_GENERAL:
        return False
    if not words or len(text) > 26 or len(words) > 5 or not NAME_ENDING.search(words[-1]):
        return False
    return not any(_NOT_A_NAME.search(w) for w in words[:-1] if w not in ("또는", "및"))


def subject(sentence: str) -> str:
    """Return the party that the sentence binds; empty where its first words are not a name."""
    match = _SUBJECT.match(sentence)
    return match.group("name") if match and is_name(match.group("name")) else ""


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
