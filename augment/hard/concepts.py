"""Yield questions of concept over definitions, in other words than the law's.

The wrong definitions are those of neighbouring terms that share words with the right one, so only
the deciding part of a definition tells them apart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.generators.falsity import other_meanings
from kofinlaw.augment.generators.polar_stems import POSITIVE
from kofinlaw.augment.hard.stems import act_phrase
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.kinds import noun_class
from kofinlaw.augment.reading.terms import Term, read_terms
from kofinlaw.augment.rewording.rewriting import draw_style, rewrite
from kofinlaw.augment.rewording.runs import LONGEST_RUN, Source, longest_run, shares_run
from kofinlaw.data.korean.words import josa

__all__ = ["KINDS", "generate"]

KINDS = ("concept",)
ATTEMPTS = 8
SHORTEST, LONGEST = 14, 110
_UNCLEAR = re.compile(r"각 ?[호목]|다음|제\d+호|그 밖에|이하 |[()（]|같은 [조항호]|해당하는 것")
_STEMS = (
    "{act} 다음 설명에 해당하는 용어는? ({meaning})",
    "{act} 다음이 뜻하는 것은? ({meaning})",
    "다음 설명이 가리키는 {act} 용어로 옳은 것은? ({meaning})",
)


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield up to two questions for each term: its definition, and the term of a definition."""
    known = [term for term in read_terms(law) if _clear(term)]
    if len(known) < 4:
        return
    around = Surroundings(law, laws)
    for term in known:
        others = _similar(term, other_meanings(term, known))
        if len(others) < 3:
            continue
        rng = source_rng(seed, "concept", law.title, term.term)
        articles = {t.article.id: t.article for t in (term, *others[:4])}
        source = around.source(tuple(articles.values()))
        yield from _definition_of(around, term, others[:4], source, rng)
        yield from _term_of(around, term, others[:4], source, rng)


def _clear(term: Term) -> bool:
    return (
        term.complete
        and SHORTEST <= len(term.meaning) <= LONGEST
        and term.term not in term.meaning
        and not _UNCLEAR.search(term.meaning)
    )


def _similar(term: Term, others: Sequence[Term]) -> list[Term]:
    """Return the terms of the same class (자, 행위, 것 …) first; none where fewer than two are."""
    own = noun_class(term.meaning)
    same = [other for other in others if noun_class(other.meaning) == own]
    return [*same, *(o for o in others if o not in same)] if len(same) >= 2 else []


def _definition_of(
    around: Surroundings, term: Term, others: Sequence[Term], source: Source, rng: random.Random
) -> Iterator[Draft]:
    """Ask what a term means, among the definitions of similar terms."""
    ends = ("을/를 말한다.", "을/를 뜻한다.", "을/를 가리킨다.")
    for _ in range(ATTEMPTS):
        style, end = draw_style(rng), rng.choice(ends)
        texts = [josa(rewrite(t.meaning, style), end[:3]) + end[3:] for t in (term, *others)]
        runs = [longest_run(text, source) for text in texts]
        if runs[0] > LONGEST_RUN and sum(run >= runs[0] for run in runs[1:]) < 2:
            continue
        wrong = distinct(texts[0], texts[1:])
        if len(wrong) < 3:
            return
        yield _draft(
            around,
            f"{act_phrase(around.law, rng, bare=False)} '{term.term}'{rng.choice(POSITIVE)}",
            texts[0],
            wrong,
            (term, *others),
        )
        return


def _term_of(
    around: Surroundings, term: Term, others: Sequence[Term], source: Source, rng: random.Random
) -> Iterator[Draft]:
    """Ask which of several similar terms a definition describes."""
    for _ in range(ATTEMPTS):
        meaning = rewrite(term.meaning, draw_style(rng))
        stem = rng.choice(_STEMS).format(
            act=act_phrase(around.law, rng, bare=False), meaning=meaning
        )
        if shares_run(stem, source):
            continue
        wrong = distinct(term.term, [t.term for t in others])
        if len(wrong) >= 3:
            yield _draft(around, stem, term.term, wrong, (term, *others))
        return


def _draft(
    around: Surroundings, stem: str, answer: str, wrong: tuple[str, ...], terms: Sequence[Term]
) -> Draft:
    return Draft(
        kind="concept",
        stem=stem,
        answer=answer,
        distractors=wrong,
        units=tuple(dict.fromkeys(t.article.id for t in terms)),
        focus=tuple(t.line for t in terms),
        document=around.law.title,
        hard=True,
    )
