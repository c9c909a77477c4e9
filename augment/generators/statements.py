"""Ask which statement is right or wrong, with true sentences and minimally altered ones."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct, must_cite, source_rng
from kofinlaw.augment.generators.falsity import false_versions, sentences_not_in_article
from kofinlaw.augment.generators.stems import choose, closing, subject_matter
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.names import normalize
from kofinlaw.records import Article

__all__ = ["LONGEST_STATEMENT", "generate", "not_of_article"]

LONGEST_STATEMENT = 95
# `전항의 신청`: an option does not show what comes before it.
_OPEN_ENDED = re.compile(r"각 ?호|각 ?목|다음 |제\d+호|전\d?[항조]|전단|후단")
_DEPENDS = re.compile(r"제\d+항|같은 [조항호]")


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield negative and positive questions for each article with enough short,
    closed sentences.
    """
    for article in law.articles:
        usable = [c for c in law.by_article.get(article.id, ()) if _stands_alone(c)]
        if not usable:
            continue
        rng = source_rng(seed, "statement", article.id)
        altered = {c.label: false_versions(law, laws, c, rng) for c in usable}
        yield from _negative(law, usable, altered, article, rng)
        yield from _positive(law, usable, altered, article, rng)


_ABOUT = (
    "{about}에 관한 설명으로 {end}",
    "{about}에 대한 설명으로 {end}",
    "{about}에 관한 다음 설명 중 {end}",
    "{about}에 대한 다음 설명 중 {end}",
    "{about}에 관한 내용으로 {end}",
    "다음 중 {about}에 관한 설명으로 {end}",
    "{about}에 대하여 {end}",
    "{about}에 관한 기술로 {end}",
    "{about}에 관하여 {end}",
    "{about}에 관한 규정의 내용으로 {end}",
    "다음은 {about}에 관한 설명이다. {end}",
)


def _stem(
    law: Law, article: Article, shown: Sequence[Clause], rng: random.Random, *, negative: bool
) -> str:
    """Return a stem about the article; its number is given where a shown sentence refers to its
    항.
    """
    cited = any(must_cite(clause) for clause in shown)
    about = subject_matter(article, rng, law.headings, cited=cited)
    end = closing(rng, negative=negative)
    forms = [form.format(about=about, end=end) for form in _ABOUT]
    return choose(forms, rng, negative=negative)


def _stands_alone(clause: Clause) -> bool:
    """Return whether the sentence is short, complete and has no exception."""
    return (
        20 <= len(clause.main) <= LONGEST_STATEMENT
        and not clause.proviso
        and not clause.restricted
        and not _OPEN_ENDED.search(clause.main)
    )


def _negative(
    law: Law,
    usable: list[Clause],
    altered: dict[str, list[str]],
    article: Article,
    rng: random.Random,
) -> Iterator[Draft]:
    """Yield one false sentence among true ones of the same article."""
    for clause in usable:
        true = [c for c in usable if c is not clause]
        if len(true) < 3 or not altered[clause.label]:
            continue
        rng.shuffle(true)
        yield Draft(
            kind="statement_false",
            stem=_stem(law, article, usable, rng, negative=True),
            answer=altered[clause.label][0],
            distractors=distinct("", [c.main for c in true]),
            units=(clause.article.id,),
            focus=(clause.main[:30], *(c.main[:30] for c in true[:4])),
            negative=True,
            numeric=False,
            document=law.title,
        )


def _positive(
    law: Law,
    usable: list[Clause],
    altered: dict[str, list[str]],
    article: Article,
    rng: random.Random,
) -> Iterator[Draft]:
    """Yield one true sentence among false versions of it and of the article's other sentences."""
    for clause in usable:
        false = [text for c in usable if c is not clause for text in altered[c.label]]
        rng.shuffle(false)
        own = altered[clause.label]
        wrong = distinct(clause.main, [*own[:1], *false, *own[1:]])
        if len(wrong) >= 3:
            yield Draft(
                kind="statement_true",
                stem=_stem(law, article, usable, rng, negative=False),
                answer=clause.main,
                distractors=wrong[:8],
                units=(clause.article.id,),
                focus=(clause.main[:30],),
                document=law.title,
            )


def _outside(law: Law, article: Article, own: Sequence[Clause], rng: random.Random) -> str:
    """Return a stem that asks for what the article does not hold."""
    refers = any(must_cite(clause) for clause in own)
    about = subject_matter(article, rng, law.headings, cited=refers)
    cited = f"「{law.title}」 {article.number}"
    forms = [
        f"{cited}에서 정한 내용이 아닌 것은?",
        f"{cited}에 규정된 내용이 아닌 것은?",
        f"다음 중 {about}에 관한 조문에서 정한 내용이 아닌 것은?",
        f"{about}에 관한 조문의 내용에 해당하지 않는 것은?",
        f"{about}에 관한 조문에 규정되지 않은 것은?",
        f"{about}에 관하여 정한 조문에 없는 것은?",
        f"{about}에 관한 조문에 포함되지 않는 내용은?",
    ]
    return choose(forms, rng, negative=True)


def not_of_article(law: Law, seed: int) -> Iterator[Draft]:
    """Ask for the sentence that is not in the article; a similar article has it."""
    stated = [
        (normalize(c.main), c)
        for c in law.clauses
        if _stands_alone(c) and not _DEPENDS.search(c.main)
    ]
    position = {article.id: number for number, article in enumerate(law.articles)}
    for article in law.articles:
        own = [c for c in law.by_article.get(article.id, ()) if _stands_alone(c)]
        if len(own) < 3:
            continue
        rng = source_rng(seed, "not_of_article", article.id)
        foreign = sentences_not_in_article(article, stated, position, rng)
        rng.shuffle(own)
        if foreign:
            # About as long as one of the article's own, so that the length gives nothing away.
            goal = len(rng.choice(own).main) * rng.uniform(0.85, 1.3)
            odd = min(foreign[:8], key=lambda c: abs(len(c.main) - goal))
            yield Draft(
                kind="not_of_article",
                stem=_outside(law, article, own, rng),
                answer=odd.main,
                distractors=distinct(odd.main, [c.main for c in own][:6]),
                units=(article.id,),
                focus=tuple(c.main[:30] for c in own[:4]),
                negative=True,
                document=law.title,
            )
