"""Free-text questions whose reference is the law's own sentence, with the words it must hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.clauses import as_question
from kofinlaw.augment.generators.definitions import terms
from kofinlaw.augment.generators.names import subject
from kofinlaw.augment.generators.quantities import _ASKS, _LADDERS, quantities
from kofinlaw.data.korean.words import josa

SHORTEST, LONGEST = 40, 90


@dataclass(frozen=True)
class FreeItem:
    """A question, its reference of 40–90 characters and keywords, the article it rests on."""

    question: str
    reference: str
    keywords: tuple[str, ...]
    unit: str
    focus: tuple[str, ...]
    document: str


def generate(law: Law) -> Iterator[FreeItem]:
    """What a term means; by when, how many: answered in one sentence that cites the article."""
    for term in terms(law):
        subject_of, meaning = josa(term.term, "이란/란"), josa(term.meaning, "을/를")
        reference = f"{subject_of} {meaning} 말한다({term.article.number})."
        if SHORTEST <= len(reference) <= LONGEST and term.term not in term.meaning:
            question = f"「{law.title}」에서 '{term.term}'의 뜻을 설명하시오."
            yield FreeItem(
                question, reference, (term.term,), term.article.id, (term.line,), law.title
            )
    for clause in law.clauses:
        sentence = clause.main
        found = quantities(sentence)
        if len(found) != 1 or clause.restricted or "제1항" in sentence:
            continue
        quantity = found[0]
        if quantity.unit not in _LADDERS or quantity.unit == "분의":
            continue
        words = _ASKS.get(quantity.unit, f"몇 {quantity.unit}")
        question = as_question(sentence[: quantity.start] + words + sentence[quantity.end :])
        reference = f"{sentence.rstrip('.')}({clause.place})."
        if question and SHORTEST <= len(reference) <= LONGEST:
            who = subject(sentence)
            keywords = tuple(word for word in (who, quantity.text) if word)
            where = f"「{law.title}」에 따르면, {question}"
            yield FreeItem(
                where, reference, keywords, clause.article.id, (sentence[:30],), law.title
            )
