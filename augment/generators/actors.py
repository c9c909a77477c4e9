"""Ask who must act and towards whom: a blank for the subject or the addressee of a sentence."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, cite, source_rng
from kofinlaw.augment.generators.falsity import other_addressees, other_parties
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.endings import forbids
from kofinlaw.augment.reading.names import addressees, subject

__all__ = ["generate"]


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each sentence whose subject or addressee is a named office
    or party.
    """
    for clause in law.clauses:
        if not 25 <= len(clause.main) <= LONGEST_QUOTE:
            continue
        rng = source_rng(seed, "actor", clause.article.id, clause.label)
        who = subject(clause.main)
        # What one party may not do, another may not do either.
        if who and clause.main.count(who) == 1 and not forbids(clause.main):
            wrong = other_parties(law, clause, who, rng)
            yield from _draft(law, clause, "actor", who, wrong, rng)
        for towards in addressees(clause.main):
            if towards != who and clause.main.count(towards) == 1:
                wrong = other_addressees(law, clause, towards, rng)
                yield from _draft(law, clause, "addressee", towards, wrong, rng)


def _draft(
    law: Law,
    clause: Clause,
    kind: str,
    name: str,
    wrong: tuple[str, ...],
    rng: random.Random,
) -> Iterator[Draft]:
    if len(wrong) < 3:
        return
    blank = _blank(clause.main, name, kind)
    if not blank:
        return
    yield Draft(
        kind=kind,
        stem=f'{cite(clause, rng)}의 다음 빈칸에 알맞은 것은? "{blank}"',
        answer=name,
        distractors=wrong,
        units=(clause.article.id,),
        focus=(clause.main[:30],),
        document=law.title,
    )


def _blank(sentence: str, name: str, kind: str) -> str:
    """Return the sentence with a blank for the name; empty where the subject has no 은 or 는."""
    start = sentence.index(name)
    tail = sentence[start + len(name) :]
    if kind == "actor":
        return f"{sentence[:start]}(   )은(는){tail[1:]}" if tail[:1] in "은는" else ""
    return f"{sentence[:start]}(   ){tail}"
