"""Ask free-text questions whose reference is the law's own sentence, with required keywords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.endings import read_ending
from kofinlaw.augment.reading.figures import find_figures, question_word
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.particles import has_topic, replace_span
from kofinlaw.augment.reading.phrasing import as_question
from kofinlaw.augment.reading.terms import read_terms
from kofinlaw.data.korean.words import josa

__all__ = ["LONGEST", "POINTS_BACK", "SHORTEST", "FreeItem", "generate"]

# Characters of a reference.
SHORTEST, LONGEST = 40, 90
# The object of `정한 규정` for each dimension of a figure.
_ASKED = {
    "days": "기간을",
    "hours": "시간을",
    "won": "금액을",
    "ratio": "비율을",
    "people": "인원을",
    "회": "횟수를",
    "배": "배수를",
}
_IN_A_CASE = re.compile(r"(?P<case>[^,]{15,60}?(?:경우|때)에는?) ")
_TOPIC = re.compile(r"^(?P<topic>[^,]{2,20}?)[은는](?= )")
# References to a 항 or list that the sentence itself does not show.
POINTS_BACK = re.compile(r"(?<!조)제\d+항|각 ?호|같은 [조항]")


@dataclass(frozen=True)
class FreeItem:
    """A free-text question with its reference (one sentence) and required keywords.

    `unit` is the id of the article that holds the answer, `focus` the phrases that decide it,
    `document` the act's title. `needs` says, in a sentence, which provision an answer needs; it
    uses nothing that the question does not say.
    """

    question: str
    reference: str
    keywords: tuple[str, ...]
    unit: str
    focus: tuple[str, ...]
    document: str
    needs: str = ""


def generate(law: Law, *, shortest: int = SHORTEST, longest: int = LONGEST) -> Iterator[FreeItem]:
    """Yield questions on the meaning of terms, on single figures and on what somebody must do in a
    case, each answered in one sentence with its article.

    `shortest` and `longest` bound the characters of a reference.
    """
    for item in _every(law):
        if shortest <= len(item.reference) <= longest:
            yield item


def _every(law: Law) -> Iterator[FreeItem]:
    yield from _terms(law)
    for clause in law.clauses:
        yield from _figure(law, clause)
        yield from _case(law, clause)


def _terms(law: Law) -> Iterator[FreeItem]:
    for term in read_terms(law):
        topic, meaning = josa(term.term, "이란/란"), josa(term.meaning, "을/를")
        reference = f"{topic} {meaning} 말한다({term.article.number})."
        if term.term not in term.meaning:
            yield FreeItem(
                f"「{law.title}」에서 '{term.term}'의 뜻을 설명하시오.",
                reference,
                (term.term,),
                term.article.id,
                (term.line,),
                law.title,
                _needs(law, f"'{term.term}'의 정의를"),
            )


def _figure(law: Law, clause: Clause) -> Iterator[FreeItem]:
    """Ask for the only figure of a sentence."""
    sentence = clause.main
    found = find_figures(sentence)
    if len(found) != 1 or clause.restricted or POINTS_BACK.search(sentence):
        return
    figure = found[0]
    word = question_word(figure)
    question = as_question(replace_span(sentence, figure.start, figure.end, word)) if word else ""
    reference = f"{sentence.rstrip('.')}({clause.citation})."
    if question:
        who = subject(sentence)
        yield FreeItem(
            f"「{law.title}」에 따르면, {question}",
            reference,
            tuple(word for word in (who, figure.text) if word),
            clause.article.id,
            (sentence[:30],),
            law.title,
            _needs(law, f"{_about(sentence)}{_ASKED.get(figure.dimension, '수치를')}"),
        )


def _case(law: Law, clause: Clause) -> Iterator[FreeItem]:
    """Ask what a party must do in a case; the reference gives case, duty and article."""
    sentence = clause.main
    who, ending = subject(sentence), read_ending(sentence)
    match = _IN_A_CASE.match(sentence)
    if not who or not match or not ending or clause.restricted or clause.proviso:
        return
    # A figure is asked for itself, and a 항 or list that the sentence refers to is not shown.
    if find_figures(sentence) or POINTS_BACK.search(sentence):
        return
    case = match.group("case")
    reference = f"{sentence.rstrip('.')}({clause.citation})."
    if not sentence.startswith(who):
        return
    asked = {"duty": "하여야 하는가", "may": "할 수 있는가", "not": "하여서는 아니 되는가"}
    what = "무엇을" if ending.sense == "not" else "어떻게"
    yield FreeItem(
        f"「{law.title}」에 따르면, {case} {what} {asked[ending.sense]}?",
        reference,
        (who, ending.verb) if ending.verb else (who,),
        clause.article.id,
        (sentence[:30],),
        law.title,
        _needs(law, f"그 경우 {josa(who, '이/가')} 할 일을"),
    )


def _about(sentence: str) -> str:
    """Return `관리인에 관한 ` for a sentence that begins with the topic 관리인은; else nothing."""
    match = _TOPIC.match(sentence)
    return f"{match.group('topic')}에 관한 " if match and has_topic(match.group(0)) else ""


def _needs(law: Law, what: str) -> str:
    """Return the sentence that says which provision is missing."""
    return f"「{law.title}」에서 {what} 정한 규정이 제시되어야 합니다."
