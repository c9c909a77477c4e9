"""Read the conditions of an act's rules (…한 경우에는), and write the opposite of one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.particles import has_topic

__all__ = [
    "Condition",
    "clear_alone",
    "condition_of",
    "conditions",
    "opposite",
    "without_subject",
]

# `제2호에 해당하는 경우` says nothing by itself.
_POINTS_ELSEWHERE = re.compile(
    r"제\d+[항호]|같은 [조항호]|본문|단서|전\d?[항조]|전단|후단|^(?:그|이|해당|각각) |이 경우"
)
# `지연시킬 우려가 있는 경우`: what is delayed is not said.
_WITHOUT_OBJECT = re.compile(r"^\S+[할킬울릴칠질될한된는] (?:우려|염려|필요|경우|때|사유)")
# Whom or what the condition is about, where this is not the name of a party:
# 지정권자는 … 취소한 경우, 이 법은 … 미치는 경우.
_ABOUT_SOMEONE = re.compile(r"^(?:\S+ ){0,3}\S*[회자장관사원등법][은는] ")
_LIST = re.compile(r"각 ?호")
_CONDITION = re.compile(r"(?:^|[,.] )(?P<case>[^,.]{10,60}경우)에는")
# A sentence with one condition: before or after its subject.
_RULE = re.compile(
    r"^(?:(?P<who>[^,]{2,30}?[은는]) )?(?P<case>[^,]{8,70}?(?:경우|때))(?P<after>에는|에) ?,? ?"
    r"(?P<rest>[^,]{8,}다)$"
)
_SEVERAL = re.compile(
    r"거나|또는|및|하고 |하며|되고 |되며|[와과] |이나 |, |에도|불구|경우|때에|만을? "
)
_OPPOSITES = (
    (r"지 아니한 $", None),
    (r"지 아니하는 $", None),
    (r"지 않은 $", None),
    (r"지 않는 $", None),
    (r"(?<=[가-힣])하는 $", "하지 아니하는 "),
    (r"(?<=[가-힣])되는 $", "되지 아니하는 "),
    (r"(?<=[가-힣])한 $", "하지 아니한 "),
    (r"(?<=[가-힣])된 $", "되지 아니한 "),
    (r"(?<=[이가] )있는 $", "없는 "),
    (r"(?<=[이가] )없는 $", "있는 "),
    (r"(?<=[을를] )받은 $", "받지 아니한 "),
    (r"(?<=[을를] )얻은 $", "얻지 아니한 "),
    (r"(?<=[을를] )넘는 $", "넘지 아니하는 "),
    (r"(?<=[을를] )받는 $", "받지 아니하는 "),
)
# `필요한 경우` has no useful opposite; `하려는 경우` is what somebody intends.
_NO_OPPOSITE = re.compile(
    r"필요한 $|위한 $|관한 $|대한 $|불가피한 $|부득이한 $|[가-힣]려는 $|특별한 $"
)


@dataclass(frozen=True)
class Condition:
    """A sentence with one condition: `start` and `end` of `case` in it, and what follows."""

    case: str
    start: int
    end: int
    rest: str


def condition_of(sentence: str) -> Condition | None:
    """Return the only condition of a sentence (`…한 경우`); None for none or several."""
    match = _RULE.match(sentence.rstrip(". "))
    if not match or re.search(r"(?:경우|때)(?:에|,| )", match.group("rest")):
        return None
    who, case = match.group("who"), match.group("case")
    if who and subject(f"{who} ") != who[:-1]:
        return None
    if not clear_alone(case) or len(case) < 10:
        return None
    return Condition(case, match.start("case"), match.end("case"), match.group("rest"))


def opposite(case: str) -> str:
    """Return the condition with the opposite sense: `받은 경우` → `받지 아니한 경우`.

    Empty where it has several parts, so that it is not clear what is denied, or another form.
    """
    match = re.fullmatch(r"(?P<body>.+ )(?P<noun>경우|때)", case)
    if (
        not match
        or _SEVERAL.search(match.group("body"))
        or _NO_OPPOSITE.search(match.group("body"))
    ):
        return ""
    body, noun = match.group("body"), match.group("noun")
    for pattern, new in _OPPOSITES:
        if re.search(pattern, body):
            return "" if new is None else re.sub(pattern, new, body) + noun
    return ""


def conditions(law: Law) -> list[tuple[str, str]]:
    """Return (article id, condition) of the act's rules and exceptions, in order."""
    found = [
        (clause.article.id, without_subject(match.group("case")))
        for clause in law.clauses
        for text in (clause.main, clause.proviso)
        for match in _CONDITION.finditer(text)
        if not _LIST.search(match.group("case"))
    ]
    return [
        (home, text)
        for home, text in found
        if not text.startswith(("다만", "제")) and clear_alone(text)
    ]


def without_subject(case: str) -> str:
    """Return the condition without its subject, so that all options have the same form."""
    who = subject(case)
    return case[len(who) + 1 :].strip() if who and case.startswith(who) else case


def clear_alone(case: str) -> bool:
    """Return whether the condition can be understood without the text around it."""
    return not (
        _POINTS_ELSEWHERE.search(case)
        or _WITHOUT_OBJECT.search(case)
        or _ABOUT_SOMEONE.search(case)
        or has_topic(case)
    )
