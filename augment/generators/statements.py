"""옳은 것은 / 옳지 않은 것은: true sentences of an article beside minimally altered ones."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.actors import rivals
from kofinlaw.augment.generators.acts import Law, Laws
from kofinlaw.augment.generators.clauses import Clause
from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.modality import allows, flip, forbids
from kofinlaw.augment.generators.names import normal, subject
from kofinlaw.augment.generators.quantities import options_near, quantities
from kofinlaw.data.korean.words import bigrams, josa

LONGEST_STATEMENT = 95
# A sentence of which an article holds this share of bigrams may well follow from it.
TOO_LIKE = 0.8
_OPEN_ENDED = re.compile(r"각 호|각 목|다음 |제\d+호")
_LEANS = re.compile(r"제\d+항|같은 [조항호]")
_SWAPS = (
    ("이상", "이하"),
    ("이하", "이상"),
    ("이내에", "이후에"),
    ("초과", "미만"),
    ("미만", "초과"),
)


def alterations(law: Law, clause: Clause, rng: random.Random) -> list[tuple[str, str]]:
    """(how, text): the clause's sentence with one thing changed so that it becomes false."""
    sentence = clause.main
    out = []
    flipped = flip(sentence)
    if flipped and "노력" not in sentence:
        out.append(("modality", flipped))
    who = subject(sentence)
    # What one may not do another may not do either.
    if who and not forbids(sentence):
        others = rivals(law, clause, who, rng)
        start = sentence.index(who)
        rest = sentence[start + len(who) + 1 :]
        others = tuple(name for name in others if name not in rest)
        if others:
            out.append(("actor", sentence[:start] + josa(others[0], "은/는") + rest))
    # Who may do it within 20 days may do it within 10.
    figures = [] if allows(sentence) else quantities(sentence)
    for quantity in figures[:1]:
        near = options_near(quantity, clause.article.text, rng)
        if near:
            out.append(("number", sentence[: quantity.start] + near[0] + sentence[quantity.end :]))
    for old, new in _SWAPS:
        if figures and sentence.count(old) == 1:
            out.append(("bound", sentence.replace(old, new)))
            break
    rng.shuffle(out)
    return out


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Negative and positive questions for each article with enough short, closed sentences."""
    for article in law.articles:
        usable = [c for c in law.by_article.get(article.id, ()) if _stands_alone(c)]
        if not usable:
            continue
        rng = source_rng(seed, "statement", article.id)
        altered = {c.label: _false(law, laws, c, rng) for c in usable}
        heading = f"({article.heading})" if article.heading else ""
        where = f"{law_name(law.title)} {article.number}{heading}"
        yield from _negative(law, usable, altered, where, rng)
        yield from _positive(law, usable, altered, where, rng)


def _stands_alone(clause: Clause) -> bool:
    return (
        20 <= len(clause.main) <= LONGEST_STATEMENT
        and not clause.proviso
        and not clause.restricted
        and not _OPEN_ENDED.search(clause.main)
    )


def _false(law: Law, laws: Laws, clause: Clause, rng: random.Random) -> list[str]:
    """Altered sentences that no sentence of the corpus says."""
    return [text for _, text in alterations(law, clause, rng) if normal(text) not in laws.sentences]


def _negative(
    law: Law, usable: list[Clause], altered: dict[str, list[str]], where: str, rng: random.Random
) -> Iterator[Draft]:
    for clause in usable:
        true = [c for c in usable if c is not clause]
        if len(true) < 3 or not altered[clause.label]:
            continue
        rng.shuffle(true)
        yield Draft(
            kind="statement_false",
            stem=f"{where}에 관한 설명으로 옳지 않은 것은?",
            answer=altered[clause.label][0],
            distractors=distinct("", [c.main for c in true]),
            units=(clause.article.id,),
            focus=(clause.main[:30], *(c.main[:30] for c in true[:4])),
            negative=True,
            numeric=False,
            document=law.title,
        )


def _positive(
    law: Law, usable: list[Clause], altered: dict[str, list[str]], where: str, rng: random.Random
) -> Iterator[Draft]:
    """One true sentence among false ones, of its own and of the article's other clauses."""
    for clause in usable:
        false = [text for c in usable if c is not clause for text in altered[c.label]]
        rng.shuffle(false)
        own = altered[clause.label]
        wrong = distinct(clause.main, [*own[:1], *false, *own[1:]])
        if len(wrong) >= 3:
            yield Draft(
                kind="statement_true",
                stem=f"{where}에 관한 설명으로 옳은 것은?",
                answer=clause.main,
                distractors=wrong[:8],
                units=(clause.article.id,),
                focus=(clause.main[:30],),
                document=law.title,
            )


def _share(text: str, words: set[str]) -> float:
    grams = set(bigrams(text))
    return len(grams & words) / max(len(grams), 1)


def not_of_article(law: Law, seed: int) -> Iterator[Draft]:
    """Which sentence does the article not hold: one of a neighbouring article among its own."""
    stated = [
        (normal(c.main), c) for c in law.clauses if _stands_alone(c) and not _LEANS.search(c.main)
    ]
    place = {article.id: number for number, article in enumerate(law.articles)}
    for article in law.articles:
        own = [c for c in law.by_article.get(article.id, ()) if _stands_alone(c)]
        if len(own) < 3:
            continue
        rng = source_rng(seed, "not_of_article", article.id)
        here = normal(article.text)
        foreign = [c for key, c in stated if c.article.id != article.id and key not in here]
        words = set(bigrams(article.text))
        foreign = sorted(foreign, key=lambda c: abs(place[c.article.id] - place[article.id]))[:40]
        foreign.sort(key=lambda c: 0.3 * rng.random() - _share(c.main, words))
        foreign = [c for c in foreign if _share(c.main, words) < TOO_LIKE]
        rng.shuffle(own)
        if foreign:
            # As long as one of the article's own, so that length tells nothing.
            goal = len(rng.choice(own).main) * rng.uniform(0.85, 1.3)
            foreign = sorted(foreign[:8], key=lambda c: abs(len(c.main) - goal))
            heading = f"({article.heading})" if article.heading else ""
            yield Draft(
                kind="not_of_article",
                stem=f"{law_name(law.title)} {article.number}{heading}에서 정한 내용이 아닌 것은?",
                answer=foreign[0].main,
                distractors=distinct(foreign[0].main, [c.main for c in own][:6]),
                units=(article.id,),
                focus=tuple(c.main[:30] for c in own[:4]),
                negative=True,
                document=law.title,
            )
