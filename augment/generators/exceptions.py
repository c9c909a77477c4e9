"""Ask about exceptions: which case 다만 excludes from a rule."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, source_rng
from kofinlaw.augment.generators.falsity import other_conditions
from kofinlaw.augment.generators.stems import QUOTED_SHARE, choose, opening
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.arguments import lacks_argument
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.particles import has_topic
from kofinlaw.augment.reading.phrasing import as_quotation

__all__ = ["generate"]

_EXCEPT = re.compile(r"^다만, (?P<case>[^,]{8,70}(?:경우|때))(?:에는|에도|는) ")
# `제2호에 해당하는 경우` says nothing by itself.
_POINTS_ELSEWHERE = re.compile(
    r"제\d+[항호]|같은 [조항호]|본문|단서|전\d?[항조]|전단|후단|^(?:그|이|해당|각각) |이 경우"
)
# The case is a part of another case: …를 증명하는 경우에는 … 계약을 체결한 경우에는.
_CONTINUES = re.compile(r"(?:경우|때)에")
# `지연시킬 우려가 있는 경우`: what is delayed is not said.
_WITHOUT_OBJECT = re.compile(r"^\S+[할킬울릴칠질될한된는] (?:우려|염려|필요|경우|때|사유)")
# Whom or what the condition is about, where this is not the name of a party:
# 지정권자는 … 취소한 경우, 이 법은 … 미치는 경우.
_ABOUT_SOMEONE = re.compile(r"^(?:\S+ ){0,3}\S*[회자장관사원등법][은는] ")
_LIST = re.compile(r"각 ?호")
# The rule does not apply at all: only this is an exception; another proviso adds to the rule.
_EXCEPTS = re.compile(r"(?:그러하지 아니하다|아니한다|아니할 수 있다|아니하여도 된다)\.$")
_CONDITION = re.compile(r"(?:^|[,.] )(?P<case>[^,.]{10,60}경우)에는")


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each exception. The wrong options are conditions of other rules."""
    conditions = _conditions(law)
    for clause in law.clauses:
        match = _EXCEPT.match(clause.proviso)
        if (
            not match
            or _LIST.search(match.group("case"))
            or _LIST.search(clause.main)
            or _CONTINUES.search(clause.proviso, match.end())
            or not 25 <= len(clause.main) <= LONGEST_QUOTE
        ):
            continue
        case = _without_subject(match.group("case"))
        if not _clear_alone(case):
            continue
        rng = source_rng(seed, "exception", clause.article.id, clause.label)
        wrong = other_conditions(clause, case, conditions, rng)
        stem = _stem(clause, rng)
        if len(wrong) >= 3 and stem:
            yield Draft(
                kind="exception",
                stem=stem,
                answer=case,
                distractors=wrong,
                units=(clause.article.id,),
                focus=(case[:20],),
                document=law.title,
            )


def _stem(clause: Clause, rng: random.Random) -> str:
    """Return a stem that gives the rule and asks for its exception."""
    start = opening(clause, rng)
    quoted = [f'{start} "{clause.main}"에 대하여 단서(다만)로 정한 경우는?']
    rule = as_quotation(clause.main)
    said = rule.removesuffix("고") + "는" if rule else ""
    plain = []
    if said:
        plain = [
            f"{start} {said} 규정의 단서에서 정한 경우는?",
            f"{start} {said} 규정의 단서가 정하는 경우는?",
            f"{start} {said} 규정의 단서에서 달리 정한 경우로 옳은 것은?",
        ]
    if said and _EXCEPTS.search(clause.proviso):
        plain += [
            f"{start} {said} 원칙에 대하여 예외로 정한 경우는?",
            f"{start} {said} 규정의 예외에 해당하는 것은?",
            f"{start} {said} 것이 원칙이다. 그 예외로 옳은 것은?",
            f"다음 중 {start} {said} 원칙의 예외가 되는 경우는?",
        ]
    return choose(quoted if not plain or rng.random() < QUOTED_SHARE else plain, rng)


def _conditions(law: Law) -> list[tuple[str, str]]:
    """Return (article id, condition) of the act's rules and exceptions, in order."""
    found = [
        (clause.article.id, _without_subject(match.group("case")))
        for clause in law.clauses
        for text in (clause.main, clause.proviso)
        for match in _CONDITION.finditer(text)
        if not _LIST.search(match.group("case"))
    ]
    return [
        (home, text)
        for home, text in found
        if not text.startswith(("다만", "제")) and _clear_alone(text)
    ]


def _without_subject(case: str) -> str:
    """Return the condition without its subject, so that all options have the same form."""
    who = subject(case)
    return case[len(who) + 1 :].strip() if who and case.startswith(who) else case


def _clear_alone(case: str) -> bool:
    """Return whether the condition can be understood without the text around it."""
    return not (
        _POINTS_ELSEWHERE.search(case)
        or _WITHOUT_OBJECT.search(case)
        or _ABOUT_SOMEONE.search(case)
        or has_topic(case)
        or lacks_argument(case)
    )
