"""Decide which conditions are no condition of a rule, and no exception to it.

The rules are those of `falsity`: in doubt a condition is not used.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache

from kofinlaw.augment.generators.drafts import distinct
from kofinlaw.augment.generators.similarity import (
    bigram_share,
    content_bigrams,
    drop_similar,
    resembles,
)
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.conditions import Condition, opposite
from kofinlaw.augment.reading.names import normalize

__all__ = ["SAME_EFFECT", "SHORTEST_CONDITION", "other_cases", "other_conditions"]

SHORTEST_CONDITION = 14  # characters of a condition that says enough to be wrong
# Share of bigrams above which two rules may have the same effect (0 to 1).
SAME_EFFECT = 0.5
# A case that may except from any rule.
_EXCEPTS_ANYTHING = re.compile(
    r"달리 (?:정한|정하는|합의|약정)|특별한 (?:규정|사정|약정)|정당한 (?:사유|이유)|부득이"
    r"|(?:동의|허가|승인|인가)(?:가 있는|한|를 받은|을 받은|를 얻은|을 얻은)|필요하다고 인정"
    r"|필요(?:한|가 있는) 경우$|^\S+ \S+$"
    r"|(?:령|규칙|정관)으로 (?:따로 )?정하는 경우$"
)


def other_conditions(
    clause: Clause, case: str, conditions: Sequence[tuple[str, str]], rng: random.Random
) -> tuple[str, ...]:
    """Return at most ten conditions that the clause's exception does not name, of its article
    first, then those that share most words with the rule.

    `conditions` are (article id, condition) of the whole act; `case` is the true condition.
    """
    exception = [content_bigrams(clause.proviso)]
    rule = content_bigrams(clause.main)
    others = [
        (home != clause.article.id, 0.2 * rng.random() - bigram_share(text, rule), text)
        for home, text in conditions
        if text not in clause.body
        and not resembles(text, exception)
        and not _EXCEPTS_ANYTHING.search(text)
        and len(text) >= SHORTEST_CONDITION
    ]
    return distinct(case, drop_similar([text for _, _, text in sorted(others)])[:10])


def other_cases(
    law: Law,
    clause: Clause,
    here: Condition,
    near: Sequence[str],
    rng: random.Random,
) -> tuple[str, ...]:
    """Return conditions under which the clause's rule does not hold: the opposite of its own one
    first, then conditions of the article's other rules.

    Excluded are conditions like its own one, generic ones, and conditions that a provision of the
    act with a similar effect also names.

    Args:
        law: The act.
        clause: The clause of the rule.
        here: The rule's own condition.
        near: The conditions of the article's rules.
        rng: Draws the order of the article's conditions.
    """
    own = [content_bigrams(here.case)]
    near = list(near)
    rng.shuffle(near)
    found = [opposite(here.case)]
    for text in drop_similar(near):
        if len(text) < SHORTEST_CONDITION or text in clause.body or resembles(text, own):
            continue
        if not _EXCEPTS_ANYTHING.search(text):
            found += [text, opposite(text)]
    cases = distinct(here.case, found)
    if not cases:
        return ()
    similar = _clauses_of_effect(law, clause, here.rest)
    bodies = [(normalize(other.body), _grams(other.body)) for other in similar]
    return tuple(text for text in cases if not _named_in(text, bodies))


@lru_cache(maxsize=20_000)
def _grams(text: str) -> frozenset[str]:
    """Return the content bigrams of a clause's text; each clause is compared with many rules."""
    return frozenset(content_bigrams(text))


def _clauses_of_effect(law: Law, clause: Clause, effect: str) -> list[Clause]:
    """Return the act's other clauses whose main sentence or exception has a similar effect."""
    grams = content_bigrams(effect)
    return [
        other
        for other in law.clauses
        if other is not clause
        and len(grams & _grams(f"{other.main} {other.proviso}")) > SAME_EFFECT * max(len(grams), 1)
    ]


def _named_in(text: str, bodies: Sequence[tuple[str, frozenset[str]]]) -> bool:
    """Return whether a clause says the condition, or most of it in other words."""
    letters, grams = normalize(text), content_bigrams(text)
    return any(
        letters in body or len(grams & held) > SAME_EFFECT * max(len(grams), 1)
        for body, held in bodies
    )
