"""Ask where a rule is: in which article, in which act, and which article it refers to."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.stems import QUOTED_SHARE, choose
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.phrasing import as_quotation
from kofinlaw.data.korean.words import bigrams
from kofinlaw.records import Article

__all__ = ["QUESTIONS_BY_ARTICLE", "acts", "chains", "governing", "own_articles"]

_ARTICLE = re.compile(r"제\d+조(?:의\d+)?")
# `법 제15조제3항 또는 제17조제4항`: both articles belong to the other act.
_OF_ANOTHER = re.compile(
    r"(?<=[」법률영령칙정]) ?(?:제\d+[조항호](?:의\d+)?|[가-하]목|각 호|외의 부분|본문|단서"
    r"|[전후]단|부터|까지|및|또는|[,ㆍ\s])+"
)
_RELATIVE = re.compile(r"제\d+항|제\d+호|같은 [조항호]|각 ?호")
_GENERIC = re.compile(r"대통령령으로 정한다|총리령으로 정한다|필요한 사항은")
QUESTIONS_BY_ARTICLE = 1


def governing(law: Law, seed: int) -> Iterator[Draft]:
    """Ask which article of the act holds a sentence. The options are the most similar articles."""
    holders: dict[str, list[str]] = defaultdict(list)
    for article in law.articles:
        for gram in sorted(set(bigrams(article.text))):
            holders[gram].append(article.number)
    texts = {article.number: normalize(article.text) for article in law.articles}
    for article in law.articles:
        own = [c for c in law.by_article.get(article.id, ()) if _identifies_its_article(c)]
        rng = source_rng(seed, "governing", article.id)
        rng.shuffle(own)
        for clause in own[:QUESTIONS_BY_ARTICLE]:
            shared = Counter(n for gram in set(bigrams(clause.main)) for n in holders[gram])
            said = normalize(clause.main)
            nearest = sorted(shared, key=lambda n: (-shared[n], n))[:20]
            others = [n for n in nearest if n != article.number and said not in texts[n]][:8]
            wrong = distinct(article.number, others)
            if len(wrong) >= 3 and article.number not in clause.main:
                yield Draft(
                    kind="which_article",
                    stem=_where(f"「{law.title}」에서 ", "조문", clause.main, rng),
                    answer=article.number,
                    distractors=wrong,
                    units=(article.id,),
                    focus=(clause.main[:30],),
                    document=law.title,
                )


def _where(start: str, thing: str, sentence: str, rng: random.Random) -> str:
    """Return a stem that asks for the article or the act (`thing`) that holds the sentence."""
    quoted = [
        f'{start}다음을 정한 {thing}은? "{sentence}"',
        f'{start}다음 내용을 규정한 {thing}은? "{sentence}"',
    ]
    said = as_quotation(sentence)
    plain = said and [
        f"{start}{said} 정한 {thing}은?",
        f"{start}{said} 규정한 {thing}은?",
        f"{start}{said} 정하고 있는 {thing}은 무엇인가?",
        f"다음 중 {start}{said} 규정하고 있는 {thing}은?",
        f"{start}{said} 한 {thing}은 어느 것인가?",
    ]
    return choose(quoted if not plain or rng.random() < QUOTED_SHARE else plain, rng)


def _identifies_its_article(clause: Clause) -> bool:
    """Return whether the sentence is specific, and clear without the text around it."""
    return (
        30 <= len(clause.main) <= 110
        and not _GENERIC.search(clause.main)
        and clause.article.number not in clause.main
        and not _RELATIVE.search(clause.main)
    )


def acts(law: Law, laws: Laws, seed: int, share: float = 0.15) -> Iterator[Draft]:
    """Ask which act holds a sentence, for a share of its articles (0 to 1).

    One wrong option is of the same family (the act or its decree), the others are not.
    """
    everywhere = laws.titles
    if len(everywhere) < 4:
        return
    for article in law.articles:
        rng = source_rng(seed, "act", article.id)
        own = [
            c
            for c in law.by_article.get(article.id, ())
            if _identifies_its_article(c) and law.title not in c.main
        ]
        if not own or rng.random() > share:
            continue
        clause = rng.choice(own)
        if own_articles(clause.main) or re.search(r"이 법|이 영|제\d+항", clause.main):
            continue
        others = [t for t in everywhere if t != law.title and _family(t) != _family(law.title)]
        rng.shuffle(others)
        related = [t for t in everywhere if t != law.title and _family(t) == _family(law.title)]
        yield Draft(
            kind="which_act",
            stem=_where("", "법령", clause.main, rng),
            answer=law.title,
            distractors=distinct(law.title, [*related[:1], *others[:7]]),
            units=(article.id,),
            focus=(clause.main[:30],),
            document=law.title,
        )


def _family(title: str) -> str:
    """Return an act and its decrees: the title without 시행령, 시행규칙."""
    return re.sub(r" ?(시행령|시행규칙|시행세칙)$", "", title)


def own_articles(text: str) -> list[str]:
    """Return articles of its own act that a text names, without `법 제5조` and `「민법」 제3조`."""
    return _ARTICLE.findall(_OF_ANOTHER.sub(" ", text))


def chains(law: Law, seed: int) -> Iterator[Draft]:
    """Ask for the heading of the article that a rule refers to."""
    titled = [a for a in law.articles if a.heading]
    for clause in law.clauses:
        named = own_articles(clause.main)
        if (
            len(set(named)) != 1
            or named[0] == clause.article.number
            or named[0] not in law.by_number
            or clause.main.count(named[0]) != len(named)
            or not 25 <= len(clause.main) <= LONGEST_QUOTE
        ):
            continue
        target = law.by_number[named[0]]
        rng = source_rng(seed, "chain", clause.article.id, clause.label)
        if not target.heading or target.heading in clause.main or '"' in clause.main:
            continue
        where = f"{law_name(law.title)} {clause.citation}"
        hidden = clause.main.replace(named[0], "(가)")
        wrong = _headings_near(titled, target.heading, clause, rng)
        if len(wrong) >= 3:
            yield Draft(
                kind="chain",
                stem=choose(
                    [
                        f'{where} "{hidden}"에서 (가)에 해당하는 조문의 제목은?',
                        f'{where}은 "{hidden}"라고 정한다. (가)는 무엇에 관한 조문인가?',
                        f'다음은 {where}이다. (가)에 해당하는 조문의 제목은? "{hidden}"',
                        f'{where} "{hidden}"에서 (가)의 조문이 정한 것은?',
                    ],
                    rng,
                ),
                answer=target.heading,
                distractors=wrong,
                units=(clause.article.id, target.id),
                focus=(clause.main[:30], f"{target.number}({target.heading})"),
                document=law.title,
            )


def _headings_near(
    titled: Sequence[Article], answer: str, clause: Clause, rng: random.Random
) -> tuple[str, ...]:
    """Return the headings of the articles near the right one, the asking article's own first."""
    number = {a.heading: i for i, a in enumerate(titled)}
    here = number.get(answer, 0)
    near = [a.heading for a in titled if a.heading not in (answer, clause.article.heading)]
    near.sort(key=lambda h: abs(number[h] - here) + rng.random() * 4)
    return distinct(answer, [clause.article.heading, *near[:7]])
