"""Read the ending of a sentence (duty, permission, prohibition) and list what contradicts it."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

__all__ = [
    "CONTRADICTING_ENDINGS",
    "NEAREST_CONTRADICTION",
    "Ending",
    "Sense",
    "allows",
    "forbids",
    "grants_a_right",
    "limits_to_one_party",
    "read_ending",
]

Sense = Literal["duty", "may", "not"]

_DUTY = r"하여야 한다|해야 한다"
_MAY = r"할 수 있다"
_NOT = (
    r"하여서는 아니 된다|하여서는 아니된다|해서는 아니 된다|해서는 안 된다|할 수 없다|하지 못한다"
)
_ENDING = re.compile(rf"(?<![가-힣ㆍ])(?P<verb>[가-힣ㆍ]*?)(?P<end>{_DUTY}|{_MAY}|{_NOT})\.?$")
_BAN = re.compile(r"(?:서는 (?:아니 ?|안 ?)된다|수 없다|지 못한다)\.?$")
# `인증심사원만 수행할 수 있다`: nobody else may do it, as with 수행하여야 한다.
_ONLY = re.compile(r"[가-힣]만 (?:\S+ ){0,2}$")
# What somebody may do for himself: a deadline for it does not oblige him to do it, and `신청할 수
# 있다` is true where the law says `30일 이내에 신청하여야 한다`.
_RIGHT = re.compile(
    r"(?:신청|제기|청구|행사|이의|항고|항소|상고|상소|열람|등사|복사|요구|요청|선택|해제|해지|철회|거절|거부|주장"
    r"|항변|포기|불복|상계|진술|가입|탈퇴|참가|추인|소집|사임|사퇴)(?:을|를|도)? ?$"
)
# The endings that are false where the sentence has this sense. Who may do something may also leave
# it undone, so 하지 아니할 수 있다 contradicts neither a permission nor a prohibition.
CONTRADICTING_ENDINGS: dict[Sense, tuple[str, ...]] = {
    "duty": ("할 수 있다", "하여서는 아니 된다", "하지 아니할 수 있다", "하도록 노력하여야 한다"),
    "may": ("하여야 한다", "하여서는 아니 된다", "하도록 노력하여야 한다", "한 것으로 본다"),
    "not": ("하여야 한다", "할 수 있다", "하도록 노력하여야 한다", "한 것으로 본다"),
}
# The one that is easiest to confuse: duty ↔ permission, prohibition → permission.
NEAREST_CONTRADICTION: dict[Sense, str] = {
    "duty": "할 수 있다",
    "may": "하여야 한다",
    "not": "할 수 있다",
}


class Ending(NamedTuple):
    """The ending of a sentence: the text before the verb, the verb stem, the ending, its sense."""

    before: str
    verb: str
    end: str
    sense: Sense

    @property
    def text(self) -> str:
        """The verb with its ending: `보고하여야 한다`."""
        return self.verb + self.end


def read_ending(sentence: str) -> Ending | None:
    """Return the ending of a sentence that binds, allows or forbids;
    None for any other sentence.
    """
    match = _ENDING.search(sentence.rstrip(". "))
    if not match:
        return None
    end = match.group("end")
    sense: Sense = "not"
    if re.fullmatch(_DUTY, end):
        sense = "duty"
    elif re.fullmatch(_MAY, end):
        sense = "may"
    return Ending(sentence[: match.start()], match.group("verb"), end, sense)


def forbids(sentence: str) -> bool:
    """Return whether the sentence is a prohibition, with any verb (넘겨서는 안 된다)."""
    return bool(_BAN.search(sentence.rstrip()))


def allows(sentence: str) -> bool:
    """Return whether the sentence is a permission, with any verb (둘 수 있다)."""
    return sentence.rstrip(". ").endswith("수 있다")


def grants_a_right(ending: Ending) -> bool:
    """Return whether the verb is one that somebody does for himself (신청, 제기, 청구, 행사 …).

    Duty and permission do not contradict each other there.
    """
    return bool(_RIGHT.search(ending.verb or ending.before))


def limits_to_one_party(before: str) -> bool:
    """Return whether the text before the verb ends with `…만`,
    which makes a permission exclusive.
    """
    return bool(_ONLY.search(before))
