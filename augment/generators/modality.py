"""Ask whether a sentence binds, allows or forbids: a blank for its ending."""

from __future__ import annotations

from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, source_rng
from kofinlaw.augment.generators.falsity import false_endings, modality_is_decided
from kofinlaw.augment.generators.stems import BLANK, fill_in
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.endings import limits_to_one_party, read_ending

__all__ = ["generate"]


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each short sentence without exception that binds, allows or forbids
    an office or a business.
    """
    for clause in law.clauses:
        ending = read_ending(clause.main)
        if not ending or not 30 <= len(clause.main) <= LONGEST_QUOTE or clause.proviso:
            continue
        before = ending.before
        if len(before) < 15 or limits_to_one_party(before) or not modality_is_decided(clause.main):
            continue
        rng = source_rng(seed, "modality", clause.article.id, clause.label)
        yield Draft(
            kind="modality",
            stem=fill_in(clause, f"{before.rstrip()} {BLANK}.", rng),
            answer=ending.text,
            distractors=tuple(false_endings(ending)),
            units=(clause.article.id,),
            focus=(clause.main[-25:],),
            document=law.title,
        )
