"""Find the condition slot of a fact: the case in which its rule holds, and cases in which not."""

from __future__ import annotations

import random
import re

from kofinlaw.augment.generators.false_conditions import other_cases
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.conditions import (
    Condition,
    clear_alone,
    condition_of,
    conditions,
)
from kofinlaw.augment.reading.endings import allows, forbids
from kofinlaw.augment.reading.kinds import party_class
from kofinlaw.augment.reading.listings import LONGEST_ITEM
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.particles import tagged

__all__ = ["false_cases"]

# `신고를 받은 경우 그 내용을 검토하여야 한다`: with another case the rule makes no sense.
_POINTS_BACK = re.compile(r" (?:그|이|해당|당해) | (?:이를|이에|그것|그에) ")
_RELATES = re.compile(
    r"(?:에|[와과]) (?:관한|대한|따른|의한|관련된?|관련한) |의 규정에 의한 |위한 "
)
# `서면으로 하여야 한다`: the condition said what.
_BARE_VERB = re.compile(r"(?:^|(?<=[^을를] ))(?:하여야|해야) 한다$|(?:^| )(?:으?로|에) 한다$")
_ARGUMENT = re.compile(r"[가-힣](?:을|를|은|는|이|가) ")


def false_cases(
    law: Law, clause: Clause, text: str, rng: random.Random
) -> tuple[Condition, tuple[str, ...]] | None:
    """Return the condition of a rule and the cases in which it does not hold; None for none.

    Args:
        law: The act.
        clause: The clause that states the rule.
        text: The rule as the question states it.
        rng: Draws the order of the cases.
    """
    here = condition_of(text)
    if here is None or _POINTS_BACK.search(f" {here.rest}") or not _binds(text):
        return None
    if _within_a_noun_phrase(text, here) or _says_nothing(text[: here.start] + here.rest):
        return None
    clauses = law.by_article[clause.article.id]
    near = [case for _, case in conditions(clauses)]
    near += [
        item.rstrip(". ")
        for other in clauses
        for item in other.items
        if other is not clause and item.rstrip(". ").endswith(("경우", "때")) and _clear(item)
    ]
    cases = other_cases(law, clause, here, near, rng)
    return (here, cases) if cases else None


def _within_a_noun_phrase(text: str, here: Condition) -> bool:
    """Return whether the condition may belong to a clause before a noun, not to the rule.

    `퇴직보험은 퇴직하는 경우 퇴직금을 받도록 하는 보험으로 요건을 갖추어야 한다`. With 에는 it is
    that of the rule.
    """
    if text[here.end : here.end + 2] == "에는":
        return False
    parts = tagged(_RELATES.sub("", here.rest))
    return any(tag == "ETM" and form == "는" for form, tag, _, _ in parts)


def _says_nothing(rule: str) -> bool:
    """Return whether the rule without its condition does not say what is done: 문서로 해야 한다."""
    return bool(_BARE_VERB.search(rule)) or not _ARGUMENT.search(rule)


def _clear(item: str) -> bool:
    return len(item) <= LONGEST_ITEM and "(" not in item and clear_alone(item)


def _binds(text: str) -> bool:
    """Return whether the rule holds only in its case: a duty, or a power of an authority.

    What is forbidden in one case may be forbidden in another, and anybody may do what no law
    forbids.
    """
    if forbids(text) or "노력" in text or text.endswith(("아니한다", "않는다", "못한다")):
        return False
    if text.endswith("야 한다"):
        return True
    power = allows(text) or text.endswith("한다")
    return power and party_class(_subject(text)) in ("state", "officer")


def _subject(text: str) -> str:
    """Return the subject at the start of the sentence or after its condition."""
    found = condition_of(text)
    return subject(text) or (subject(found.rest) if found else "")
