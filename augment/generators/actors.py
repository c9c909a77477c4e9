"""Who must act, and towards whom: blanks for the subject or the addressee of a sentence."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.clauses import Clause
from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, cite, distinct, source_rng
from kofinlaw.augment.generators.modality import forbids
from kofinlaw.augment.generators.names import addressees, normal, subject
from kofinlaw.augment.generators.parties import handed_on


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """One question for each sentence whose subject or addressee is a named office or party."""
    for clause in law.clauses:
        if not 25 <= len(clause.main) <= LONGEST_QUOTE:
            continue
        rng = source_rng(seed, "actor", clause.article.id, clause.label)
        who = subject(clause.main)
        # What one may not do another may not do either.
        if who and clause.main.count(who) == 1 and not forbids(clause.main):
            yield from _draft(law, clause, who, "subject", rng)
        for towards in addressees(clause.main):
            if towards != who and clause.main.count(towards) == 1:
                yield from _draft(law, clause, towards, "towards", rng)


def _draft(law: Law, clause: Clause, name: str, role: str, rng: random.Random) -> Iterator[Draft]:
    wrong = rivals(law, clause, name, rng)
    if role == "towards":
        # `전자금융업자에게 행하는 통지를 (   )에게 할 수 있다`: to that one too, and to its kinds.
        named = [actor for actor in law.actors if actor != name and actor in clause.main]
        same = law.parties.one_is_the_other
        wrong = tuple(o for o in wrong if not any(same(o, actor) for actor in named))
    if len(wrong) < 3:
        return
    blank = _blank(clause.main, name, role)
    if not blank:
        return
    yield Draft(
        kind="actor" if role == "subject" else "addressee",
        stem=f'{cite(clause, rng)}의 다음 빈칸에 알맞은 것은? "{blank}"',
        answer=name,
        distractors=wrong,
        units=(clause.article.id,),
        focus=(clause.main[:30],),
        document=law.title,
    )


def _blank(sentence: str, name: str, role: str) -> str:
    start = sentence.index(name)
    tail = sentence[start + len(name) :]
    if role == "subject":
        return f"{sentence[:start]}(   )은(는){tail[1:]}" if tail[:1] in "은는" else ""
    return f"{sentence[:start]}(   ){tail}"


def rivals(law: Law, clause: Clause, name: str, rng: random.Random) -> tuple[str, ...]:
    """Other actors, none for whom the sentence may hold: those the article also names first.

    Whoever the article hands work on to is none either: he may do it in another's place.
    """
    words = {w for w in name.split() if len(w) > 1}
    handed = handed_on(clause.article)
    helpers = [actor for actor in law.actors if actor != name and actor in handed]
    apart = [
        other
        for other in law.actors
        if not words & set(other.split())
        and not _overlap(other, name)
        and not any(law.parties.one_is_the_other(other, helper) for helper in helpers)
        and not law.parties.could_be(other, name)
    ]
    here = [other for other in apart if other in clause.article.text]
    elsewhere = [other for other in apart if other not in here][:12]
    rng.shuffle(here)
    rng.shuffle(elsewhere)
    return _unlike([*here, *elsewhere], name)[:8]


def _overlap(first: str, second: str) -> bool:
    a, b = normal(first), normal(second)
    return a in b or b in a


def _unlike(names: list[str], answer: str) -> tuple[str, ...]:
    """Names of which none contains another: 금융회사 beside 금융회사등 would both be half right."""
    out: list[str] = []
    for name in distinct(answer, names):
        if not any(_overlap(name, other) for other in out):
            out.append(name)
    return tuple(out)
