"""Ask who must act and towards whom: a blank or a question word for the subject or addressee."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, source_rng
from kofinlaw.augment.generators.false_parties import other_addressees, other_parties
from kofinlaw.augment.generators.falsity import is_a_right
from kofinlaw.augment.generators.stems import BLANK, choose, closing, fill_in, opening
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.endings import forbids
from kofinlaw.augment.reading.names import acting_subject, addressees, subject
from kofinlaw.augment.reading.phrasing import (
    as_modifier,
    as_question,
    joins_another_subject,
    leaves_only_list,
)

__all__ = ["generate"]

# Share of the questions with a blank (0 to 1).
_BLANK_SHARE = 0.3
# Characters between 누가 and the verb that one still reads as one sentence.
_LONGEST_AFTER_WHO = 60


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each sentence whose subject or addressee is a named office
    or party.
    """
    for clause in law.clauses:
        # A bracket may add a party: `장관(권한을 위탁받은 자를 포함한다)`.
        if not 25 <= len(clause.main) <= LONGEST_QUOTE or clause.restricted:
            continue
        rng = source_rng(seed, "actor", clause.article.id, clause.label)
        who, named = acting_subject(clause.main), subject(clause.main)
        # What one party may not do, another may not do either; a right may be that of several.
        bound = not forbids(clause.main) and not is_a_right(clause.main)
        said = clause.main.replace(who, "", 1) if who else ""
        if who and clause.main.count(who) == 1 and bound and not leaves_only_list(said[1:]):
            wrong = other_parties(law, clause, who, rng)
            stem = _who(clause, who, rng)
            yield from _draft(law, clause, "actor", stem, who, wrong)
        # Towards one party forbidden, towards another perhaps too.
        for towards in () if forbids(clause.main) else addressees(clause.main):
            only_list = leaves_only_list(clause.main.replace(towards, ""))
            if towards != named and clause.main.count(towards) == 1 and not only_list:
                wrong = other_addressees(law, clause, towards, rng)
                stem = _towards(clause, towards, rng)
                yield from _draft(law, clause, "addressee", stem, towards, wrong)


def _draft(
    law: Law, clause: Clause, kind: str, stem: str, name: str, wrong: tuple[str, ...]
) -> Iterator[Draft]:
    if len(wrong) < 3 or not stem:
        return
    yield Draft(
        kind=kind,
        stem=stem,
        answer=name,
        distractors=wrong,
        units=(clause.article.id,),
        focus=(clause.main[:30],),
        document=law.title,
    )


def _who(clause: Clause, who: str, rng: random.Random) -> str:
    """Return a stem that asks for the subject; empty where it has no 은 or 는."""
    start = clause.main.index(who)
    before, tail = clause.main[:start], clause.main[start + len(who) :]
    if tail[:1] not in ("은", "는"):
        return ""
    rest = before + tail[1:].strip()
    start_of_stem = opening(clause, rng)
    forms = []
    if rng.random() >= _BLANK_SHARE:
        if doing := as_modifier(rest):
            forms += [
                f"{start_of_stem} {doing} 자는?",
                f"{start_of_stem} {doing} 자로 {closing(rng)}",
                f"{start_of_stem} {doing} 주체는?",
                f"{start_of_stem} {doing} 자는 누구인가?",
            ]
            forms += [f"다음 중 {start_of_stem} {doing} 자는?"]
        question = as_question(before + "누가 " + tail[1:].strip())
        # `누가 조정절차가 종료되면`: two subjects in a row.
        alone = not joins_another_subject(rest) and not re.search(r"[가-힣][이가] ", tail[1:])
        if question and alone and len(rest) <= _LONGEST_AFTER_WHO:
            forms += [f"{start_of_stem}, {question}", f"{start_of_stem} {question}"]
    return choose(forms, rng) or fill_in(clause, f"{before}{BLANK}은(는){tail[1:]}", rng)


def _towards(clause: Clause, name: str, rng: random.Random) -> str:
    """Return a stem that asks towards whom the sentence acts."""
    start = clause.main.index(name)
    before, tail = clause.main[:start], clause.main[start + len(name) :]
    question = as_question(f"{before}누구{tail}")
    if question and rng.random() >= _BLANK_SHARE:
        return choose(
            [f"{opening(clause, rng)}, {question}", f"{opening(clause, rng)} {question}"], rng
        )
    return fill_in(clause, f"{before}{BLANK}{tail}", rng)
