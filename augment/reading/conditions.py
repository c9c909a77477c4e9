"""Read the conditions of an act's rules (…한 경우에는), and write the opposite of one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kofinlaw.augment.reading.arguments import lacks_argument
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.particles import has_topic, topic_ends

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
# A condition that the text before it fills in: `이 경우`, `그러한 경우`.
_VAGUE = re.compile(r"^(?:그|이|해당|그러한|이러한) |필요(?:하다고|한)|각 ?호")
# A sentence with one condition: before or after its subject.
_RULE = re.compile(
    r"^(?:(?P<who>[^,]{2,30}?[은는]) )?(?P<case>[^,]{5,70}?(?:경우|때))(?:에는|에)?,? "
    r"(?P<rest>[^,]{8,}다)$"
)
_SEVERAL = re.compile(r"거나|고 |며 |, |에도|불구|경우|때에|만을? |아니|않|없이|못")
_OPPOSITES = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"(?<=[가-힣])하는 $", "하지 아니하는 "),
        (r"(?<=[가-힣])되는 $", "되지 아니하는 "),
        (r"(?:(?<=[가-힣])|(?<=[을를] ))한 $", "하지 아니한 "),
        (r"(?<=[가-힣])된 $", "되지 아니한 "),
        (r"(?<=[이가] )있는 $", "없는 "),
        (r"(?<=[이가] )없는 $", "있는 "),
        (r"(?<=[이가] )있을 $", "없을 "),
        (r"(?<=[이가] )없을 $", "있을 "),
        (r"(?:(?<=[가-힣])|(?<=[을를] ))할 $", "하지 아니할 "),
        (r"(?<=[가-힣])하였을 $", "하지 아니하였을 "),
        (r"(?<=[가-힣])했을 $", "하지 않았을 "),
        (r"(?<=[을를] )(받|얻|넘)(?=[은는] $)", r"\1지 아니하"),
    )
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
    if who and len(who) not in topic_ends(sentence):
        return None
    if _WITHOUT_OBJECT.search(case) or _VAGUE.search(case) or has_topic(case) or len(case) < 8:
        return None
    if re.match(r"(?:또는|및|등|중|그 밖의?) ", match.group("rest")):
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
        if pattern.search(body):
            return _particle_of_denial(pattern.sub(new, body)) + noun
    return ""


def _particle_of_denial(body: str) -> str:
    return body.replace("지 아니하은 ", "지 아니한 ")


def conditions(clauses: Iterable[Clause]) -> list[tuple[str, str]]:
    """Return (article id, condition) of the rules and exceptions of clauses."""
    found = [
        (clause.article.id, without_subject(match.group("case")))
        for clause in clauses
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
        or lacks_argument(case)
    )
