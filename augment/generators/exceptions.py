"""Exceptions: what 다만 takes out of a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, cite, distinct, source_rng
from kofinlaw.augment.generators.enumerations import apart, content, resembles
from kofinlaw.augment.generators.names import subject

_EXCEPT = re.compile(r"^다만, (?P<case>[^,]{8,70}(?:경우|때))에?는? ")
# `제2호에 해당하는 경우` says nothing by itself.
_POINTS = re.compile(r"제\d+[항호]|같은 [조항호]|본문|단서|^그 ")
# The case is a part of another: …를 증명하는 경우에는 … 계약을 체결한 경우에는.
_GOES_ON = re.compile(r"(?:경우|때)에")
# Who or what the condition is about, where no name of a party says so: 지정권자는 … 취소한 경우,
# 이 법은 … 미치는 경우.
_ABOUT_SOMEONE = re.compile(r"^(?:\S+ ){0,3}\S*[회자장관사원등법][은는] ")
_CONDITION = re.compile(r"(?:^|[,.] )(?P<case>[^,.]{10,60}경우)에는")


def _without_subject(case: str) -> str:
    """The condition without who it is about, so that all options read alike."""
    who = subject(case)
    return case[len(who) + 1 :].strip() if who and case.startswith(who) else case


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """One question for each exception: the conditions of other rules stand beside it."""
    conditions = [
        (clause.article.id, _without_subject(match.group("case")))
        for clause in law.clauses
        for text in (clause.main, clause.proviso)
        for match in _CONDITION.finditer(text)
        if "각 호" not in match.group("case")
    ]
    for clause in law.clauses:
        match = _EXCEPT.match(clause.proviso)
        if (
            not match
            or "각 호" in match.group("case")
            or _GOES_ON.search(clause.proviso, match.end())
            or not 25 <= len(clause.main) <= LONGEST_QUOTE
        ):
            continue
        case = _without_subject(match.group("case"))
        if _POINTS.search(case) or _ABOUT_SOMEONE.search(case):
            continue
        rng = source_rng(seed, "exception", clause.article.id, clause.label)
        body = [content(clause.proviso)]
        others = [
            (home != clause.article.id, rng.random(), text)
            for home, text in conditions
            if not text.startswith(("다만", "제"))
            and not _POINTS.search(text)
            and not _ABOUT_SOMEONE.search(text)
            and text not in clause.body
            and not resembles(text, body)
        ]
        wrong = distinct(case, apart([text for _, _, text in sorted(others)])[:10])
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
