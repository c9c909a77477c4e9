"""Ask about exceptions: which case 다만 excludes from a rule."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, source_rng
from kofinlaw.augment.generators.false_conditions import other_conditions
from kofinlaw.augment.generators.stems import QUOTED_SHARE, choose, opening
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.conditions import clear_alone, conditions, without_subject
from kofinlaw.augment.reading.phrasing import as_quotation

__all__ = ["generate"]

_EXCEPT = re.compile(r"^다만, (?P<case>[^,]{8,70}(?:경우|때))(?:에는|에도|는) ")
# The case is a part of another case: …를 증명하는 경우에는 … 계약을 체결한 경우에는.
_CONTINUES = re.compile(r"(?:경우|때)에")
_LIST = re.compile(r"각 ?호")
# The rule does not apply at all: only this is an exception; another proviso adds to the rule.
_EXCEPTS = re.compile(r"(?:그러하지 아니하다|아니한다|아니할 수 있다|아니하여도 된다)\.$")


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each exception. The wrong options are conditions of other rules."""
    known = conditions(law.clauses)
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
        case = without_subject(match.group("case"))
        if not clear_alone(case):
            continue
        rng = source_rng(seed, "exception", clause.article.id, clause.label)
        wrong = other_conditions(clause, case, known, rng)
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
