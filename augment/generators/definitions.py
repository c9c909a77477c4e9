"""Terms a law defines: definition → term, term → definition, pairs that do not match."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.clauses import clean, simplify
from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.data.korean.words import josa
from kofinlaw.records import Article, Provision

_DEFINES = re.compile(
    r'^["“”](?P<term>[^"“”]{2,25})["“”](?:\([^()]*\))?(?:이라 함은|라 함은|이란|란) ?'
    r"(?P<meaning>.+?)(?:을|를) 말한다\.?"
)
LONGEST_MEANING = 120


@dataclass(frozen=True)
class Term:
    """A defined term: `meaning` without 말한다, `line` as the law writes its opening.

    `whole` is whether the meaning is all of the definition: no 다만 takes a part of it out.
    """

    term: str
    meaning: str
    line: str
    article: Article
    whole: bool


def terms(law: Law) -> list[Term]:
    """Terms of the act's definition articles whose definition is one sentence without 목."""
    found = []
    for article in law.articles:
        if "정의" not in article.heading and "용어" not in article.heading:
            continue
        for node in _leaves(article.provisions):
            text, _ = simplify(clean(node.text), keep=True)
            match = _DEFINES.match(text)
            if match and "각 목" not in match.group("meaning"):
                meaning = match.group("meaning").strip()
                line, whole = clean(node.text)[:40], "다만" not in text
                found.append(Term(match.group("term"), meaning, line, article, whole))
    return found


def _leaves(nodes: tuple[Provision, ...]) -> Iterator[Provision]:
    for node in nodes:
        if node.children:
            yield from _leaves(node.children)
        else:
            yield node


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Up to three questions a term."""
    known = terms(law)
    if len(known) < 4:
        return
    for term in known:
        rng = source_rng(seed, "definition", law.title, term.term)
        others = [t for t in known if not _related(t, term)]
        rng.shuffle(others)
        yield from _term_of(law, term, others)
        yield from _meaning_of(law, term, others)
        yield from _mismatch(law, term, others, rng)


def _related(first: Term, second: Term) -> bool:
    """Terms that contain each other, or one that the other's definition is made of."""
    return first.term in second.term or second.term in first.term


def _term_of(law: Law, term: Term, others: list[Term]) -> Iterator[Draft]:
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
    if not 10 <= len(term.meaning) <= 75 or term.term in term.meaning or not term.whole:
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


def _mismatch(law: Law, term: Term, others: list[Term], rng: random.Random) -> Iterator[Draft]:
    """Three pairs that match and one term with another's definition."""
    short = [t for t in others if t.whole and len(t.meaning) <= 50 and t.term not in t.meaning]
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
