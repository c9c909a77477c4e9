"""Ask free-text questions whose reference is the law's own sentence, with required keywords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import as_question
from kofinlaw.augment.reading.figures import find_figures, question_word
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.terms import read_terms
from kofinlaw.data.korean.words import josa

__all__ = ["LONGEST", "SHORTEST", "FreeItem", "generate"]

# Characters of a reference.
SHORTEST, LONGEST = 40, 90


@dataclass(frozen=True)
class FreeItem:
    """A free-text question with its reference (40 to 90 characters) and required keywords.

    `unit` is the id of the article that holds the answer, `focus` the phrases that decide it,
    `document` the act's title.
    """

    question: str
    reference: str
    keywords: tuple[str, ...]
    unit: str
    focus: tuple[str, ...]
    document: str


def generate(law: Law) -> Iterator[FreeItem]:
    """Yield questions on the meaning of terms and on single figures,
    each answered in one sentence.
    """
    for term in read_terms(law):
        topic, meaning = josa(term.term, "이란/란"), josa(term.meaning, "을/를")
        reference = f"{topic} {meaning} 말한다({term.article.number})."
        if SHORTEST <= len(reference) <= LONGEST and term.term not in term.meaning:
            question = f"「{law.title}」에서 '{term.term}'의 뜻을 설명하시오."
            yield FreeItem(
                question, reference, (term.term,), term.article.id, (term.line,), law.title
            )
    for clause in law.clauses:
        sentence = clause.main
        found = find_figures(sentence)
        if len(found) != 1 or clause.restricted or "제1항" in sentence:
            continue
        figure = found[0]
        word = question_word(figure)
        if not word:
            continue
        question = as_question(sentence[: figure.start] + word + sentence[figure.end :])
        reference = f"{sentence.rstrip('.')}({clause.citation})."
        if question and SHORTEST <= len(reference) <= LONGEST:
            who = subject(sentence)
            keywords = tuple(word for word in (who, figure.text) if word)
            where = f"「{law.title}」에 따르면, {question}"
            yield FreeItem(
                where, reference, keywords, clause.article.id, (sentence[:30],), law.title
            )
