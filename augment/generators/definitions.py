"""Ask about the terms that a law defines: a term, a definition, or a pair that does not match."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.falsity import unrelated_terms
from kofinlaw.augment.generators.stems import QUOTED_SHARE, choose, closing
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import simplify
from kofinlaw.augment.reading.terms import Term, read_terms
from kofinlaw.data.korean.words import josa

__all__ = ["LONGEST_MEANING", "generate"]

LONGEST_MEANING = 120


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield up to four questions for each term: which term, which definition, and which of several
    terms is explained rightly or wrongly.
    """
    known = read_terms(law)
    if len(known) < 4:
        return
    for term in known:
        rng = source_rng(seed, "definition", law.title, term.term)
        others = unrelated_terms(term, known)
        rng.shuffle(others)
        yield from _term_of(law, term, others, rng)
        yield from _meaning_of(law, term, others, rng)
        yield from _concept(law, term, others, rng)
        yield from _mismatch(law, term, others, rng)


def _term_of(law: Law, term: Term, others: list[Term], rng: random.Random) -> Iterator[Draft]:
    """Ask which term has a definition."""
    if term.term in term.meaning or len(term.meaning) > LONGEST_MEANING:
        return
    wrong = distinct(term.term, [t.term for t in others if t.term not in term.meaning])
    if len(wrong) >= 3:
        yield Draft(
            kind="definition_term",
            stem=_term_stem(law_name(law.title), term.meaning, rng),
            answer=term.term,
            distractors=wrong[:8],
            units=(term.article.id,),
            focus=(term.line,),
            document=law.title,
        )


def _term_stem(law: str, meaning: str, rng: random.Random) -> str:
    """Return a stem that gives a definition and asks for its term."""
    bare, _ = simplify(meaning)
    particle = josa(bare, "을/를")[len(bare) :]
    quoted = [f'{law}에서 "{meaning}"{particle} 뜻하는 용어는?']
    plain = [
        f"{law}에서 {meaning}{particle} 뜻하는 용어는?",
        f"{law}상 {meaning}{particle} 말하는 용어로 {closing(rng)}",
        f"{law}에서는 {meaning}{particle} 무엇이라고 하는가?",
        f"{meaning}{particle} {law}에서 가리키는 용어는?",
        f"{law}에서 정의하는 용어 중 {meaning}{particle} 말하는 것은?",
    ]
    return choose(quoted if rng.random() < QUOTED_SHARE else plain, rng)


def _meaning_of(law: Law, term: Term, others: list[Term], rng: random.Random) -> Iterator[Draft]:
    """Ask which definition a term has."""
    if not 10 <= len(term.meaning) <= 75 or term.term in term.meaning or not term.complete:
        return
    wrong = distinct(
        term.meaning,
        [t.meaning for t in others if len(t.meaning) <= 80 and t.term not in t.meaning],
    )
    if len(wrong) >= 3:
        law_text, end = law_name(law.title), closing(rng)
        forms = [
            f"{law_text}에서 '{term.term}'의 뜻으로 {end}",
            f"{law_text}상 '{term.term}'의 개념으로 {end}",
            f"{law_text}에서 정의하는 '{term.term}'에 관한 설명으로 {end}",
            f"{law_text}에서 사용하는 '{term.term}'의 정의로 {end}",
            f"'{term.term}'의 의미를 {law_text}에 따라 설명한 것으로 {end}",
            f"{law_text}에서 말하는 '{term.term}'에 해당하는 것은?",
        ]
        yield Draft(
            kind="term_definition",
            stem=choose(forms, rng),
            answer=term.meaning,
            distractors=wrong[:8],
            units=(term.article.id,),
            focus=(term.line,),
            document=law.title,
        )


def _explained(term: str, meaning: str) -> str:
    """Return `전자지급이란 … 거래를 말한다.`"""
    return f"{josa(term, '이란/란')} {josa(meaning, '을/를')} 말한다."


def _explanation_stems(name: str, end: str) -> list[str]:
    """Return the stems that ask which of several terms is explained rightly, or wrongly."""
    return [
        f"{name}에서 사용하는 용어에 관한 설명으로 {end}",
        f"{name}상 용어의 정의로 {end}",
        f"{name}에서 정의하는 용어의 개념에 대한 설명으로 {end}",
        f"{name}의 용어에 대한 다음 설명 중 {end}",
    ]


def _explainable(others: Sequence[Term]) -> list[Term]:
    """Return the terms whose definition is complete, short and without the term itself."""
    return [t for t in others if t.complete and len(t.meaning) <= 75 and t.term not in t.meaning]


def _concept(law: Law, term: Term, others: list[Term], rng: random.Random) -> Iterator[Draft]:
    """Ask which of several terms is explained rightly; the others have each other's definitions."""
    known = _explainable(others)
    if len(known) < 4 or not _explainable([term]):
        return
    # Each of the others gets the definition of the next one.
    wrong = [
        _explained(here.term, there.meaning)
        for here, there in zip(known, [*known[1:], known[0]], strict=True)
        if here.term not in there.meaning
        and there.term not in here.term
        and here.term not in there.term
    ]
    forms = _explanation_stems(law_name(law.title), closing(rng))
    true = _explained(term.term, term.meaning)
    if len(distinct(true, wrong)) >= 3:
        yield Draft(
            kind="term_definition",
            stem=choose(forms, rng),
            answer=true,
            distractors=distinct(true, wrong)[:8],
            units=(term.article.id,),
            focus=(term.line,),
            document=law.title,
        )


def _mismatch(law: Law, term: Term, others: list[Term], rng: random.Random) -> Iterator[Draft]:
    """Yield three pairs that match and one term with the definition of another."""
    short = _explainable(others)
    if len(short) < 4 or term.term in short[0].meaning:
        return
    borrowed, *true = short
    as_sentence = rng.random() < 0.5
    write = _explained if as_sentence else "{} - {}".format
    wrong = distinct("", [write(t.term, t.meaning) for t in true[:5]])
    name, end = law_name(law.title), closing(rng, negative=True)
    if as_sentence:
        forms = _explanation_stems(name, end)
    else:
        forms = [
            f"{name}상 용어와 그 뜻이 옳게 짝지어지지 않은 것은?",
            f"{name}에서 정의하는 용어와 그 뜻의 연결이 옳지 않은 것은?",
            f"{name}상 용어와 정의를 잘못 짝지은 것은?",
        ]
    if len(wrong) >= 3:
        yield Draft(
            kind="definition_mismatch",
            stem=choose(forms, rng, negative=True),
            answer=write(term.term, borrowed.meaning),
            distractors=wrong,
            units=(term.article.id,),
            focus=(term.line, *(t.line for t in true[:3])),
            negative=True,
            document=law.title,
        )
