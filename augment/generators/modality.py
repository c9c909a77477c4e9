"""Ask whether a sentence binds, allows or forbids: a blank for its ending."""

from __future__ import annotations

from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, cite, source_rng
from kofinlaw.augment.generators.falsity import false_endings
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.endings import limits_to_one_party, read_ending

__all__ = ["generate"]


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each short sentence without exception that binds,
    allows or forbids.
    """
    for clause in law.clauses:
        ending = read_ending(clause.main)
        if not ending or not 30 <= len(clause.main) <= LONGEST_QUOTE or clause.proviso:
            continue
        before = ending.before
        if "노력" in before[-8:] or len(before) < 15 or limits_to_one_party(before):
            continue
        rng = source_rng(seed, "modality", clause.article.id, clause.label)
        yield Draft(
            kind="modality",
            stem=f'{cite(clause, rng)}의 다음 빈칸에 알맞은 것은? "{before.rstrip()} (   )."',
            answer=ending.text,
            distractors=tuple(false_endings(ending)),
            units=(clause.article.id,),
            focus=(clause.main[-25:],),
            document=law.title,
        )
