"""Ask about the terms that a law defines: a term, a definition, or a pair that does not match."""

from __future__ import annotations

from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.falsity import unrelated_terms
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import simplify
from kofinlaw.augment.reading.terms import Term, read_terms
from kofinlaw.data.korean.words import josa

__all__ = ["LONGEST_MEANING", "generate"]

LONGEST_MEANING = 120


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield up to three questions for each term."""
    known = read_terms(law)
    if len(known) < 4:
        return
    for term in known:
        rng = source_rng(seed, "definition", law.title, term.term)
        others = unrelated_terms(term, known)
        rng.shuffle(others)
        yield from _term_of(law, term, others)
        yield from _meaning_of(law, term, others)
        yield from _mismatch(law, term, others)


def _term_of(law: Law, term: Term, others: list[Term]) -> Iterator[Draft]:
    """Ask which term has a definition."""
    if term.term in term.meaning or len(term.meaning) > LONGEST_MEANING:
        return
    wrong = distinct(term.term, [t.term for t in others if t.term not in term.meaning])
    bare, _ = simplify(term.meaning)
    particle = josa(bare, "을/를")[len(bare) :]
    if len(wrong) >= 3:
        yield Draft(
            kind="definition_term",
            stem=f'{law_name(law.title)}에서 "{term.meaning}"{particle} 뜻하는 용어는?',
            answer=term.term,
            distractors=wrong[:8],
            units=(term.article.id,),
            focus=(term.line,),
            document=law.title,
        )


def _meaning_of(law: Law, term: Term, others: list[Term]) -> Iterator[Draft]:
    """Ask which definition a term has."""
    if not 10 <= len(term.meaning) <= 75 or term.term in term.meaning or not term.complete:
        return
    wrong = distinct(
        term.meaning,
        [t.meaning for t in others if len(t.meaning) <= 80 and t.term not in t.meaning],
    )
    if len(wrong) >= 3:
        yield Draft(
            kind="term_definition",
            stem=f"{law_name(law.title)}에서 '{term.term}'의 뜻으로 옳은 것은?",
            answer=term.meaning,
            distractors=wrong[:8],
            units=(term.article.id,),
            focus=(term.line,),
            document=law.title,
        )


def _mismatch(law: Law, term: Term, others: list[Term]) -> Iterator[Draft]:
    """Yield three pairs that match and one term with the definition of another."""
    short = [t for t in others if t.complete and len(t.meaning) <= 50 and t.term not in t.meaning]
    if len(short) < 4 or term.term in short[0].meaning:
        return
    borrowed, *true = short
    wrong = distinct("", [f"{t.term} - {t.meaning}" for t in true[:5]])
    if len(wrong) >= 3:
        yield Draft(
            kind="definition_mismatch",
            stem=f"{law_name(law.title)}상 용어와 그 뜻이 옳게 짝지어지지 않은 것은?",
            answer=f"{term.term} - {borrowed.meaning}",
            distractors=wrong,
            units=(term.article.id,),
            focus=(term.line, *(t.line for t in true[:3])),
            negative=True,
            document=law.title,
        )
