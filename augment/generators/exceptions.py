"""Ask about exceptions: which case 다만 excludes from a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, cite, source_rng
from kofinlaw.augment.generators.falsity import other_conditions
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.names import subject

__all__ = ["generate"]

_EXCEPT = re.compile(r"^다만, (?P<case>[^,]{8,70}(?:경우|때))에?는? ")
# `제2호에 해당하는 경우` says nothing by itself.
_POINTS_ELSEWHERE = re.compile(r"제\d+[항호]|같은 [조항호]|본문|단서|^그 ")
# The case is a part of another case: …를 증명하는 경우에는 … 계약을 체결한 경우에는.
_CONTINUES = re.compile(r"(?:경우|때)에")
# Whom or what the condition is about, where this is not the name of a party:
# 지정권자는 … 취소한 경우, 이 법은 … 미치는 경우.
_ABOUT_SOMEONE = re.compile(r"^(?:\S+ ){0,3}\S*[회자장관사원등법][은는] ")
_CONDITION = re.compile(r"(?:^|[,.] )(?P<case>[^,.]{10,60}경우)에는")


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each exception. The wrong options are conditions of other rules."""
    conditions = _conditions(law)
    for clause in law.clauses:
        match = _EXCEPT.match(clause.proviso)
        if (
            not match
            or "각 호" in match.group("case")
            or _CONTINUES.search(clause.proviso, match.end())
            or not 25 <= len(clause.main) <= LONGEST_QUOTE
        ):
            continue
        case = _without_subject(match.group("case"))
        if not _clear_alone(case):
            continue
        rng = source_rng(seed, "exception", clause.article.id, clause.label)
        wrong = other_conditions(clause, case, conditions, rng)
        if len(wrong) >= 3:
            yield Draft(
                kind="exception",
                stem=f'{cite(clause, rng)}의 "{clause.main}"에 대하여 단서(다만)로 정한 경우는?',
                answer=case,
                distractors=wrong,
                units=(clause.article.id,),
                focus=(case[:20],),
                document=law.title,
            )


def _conditions(law: Law) -> list[tuple[str, str]]:
    """Return (article id, condition) of the act's rules and exceptions, in order."""
    found = [
        (clause.article.id, _without_subject(match.group("case")))
        for clause in law.clauses
        for text in (clause.main, clause.proviso)
        for match in _CONDITION.finditer(text)
        if "각 호" not in match.group("case")
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
    return not _POINTS_ELSEWHERE.search(case) and not _ABOUT_SOMEONE.search(case)
