"""Write the stem of a statement question: many forms, with and without the act and the article."""

from __future__ import annotations

import random
import re

from kofinlaw.augment.generators.polar_stems import NEGATIVE, POSITIVE
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.short_names import needs_article
from kofinlaw.augment.rewording.rewriting import Style, rewrite
from kofinlaw.augment.rewording.runs import Source, shares_run
from kofinlaw.data.korean.words import josa
from kofinlaw.records import Article

__all__ = [
    "ARTICLE_SHARE",
    "UNNAMED_SHARE",
    "act_or_article",
    "act_phrase",
    "asks",
    "chapter",
    "topic",
]

# Share of the stems that cite the article's number, and of those that do not name the act (0 to 1).
ARTICLE_SHARE = 0.2
UNNAMED_SHARE = 0.25


def act_phrase(law: Law, rng: random.Random, *, bare: bool = True) -> str:
    """Return how a stem names the act: `「은행법」상`, `은행법에서`, `「은행법」에 따른` …

    With `bare` also `「은행법」`, which reads well before a heading only.
    """
    quoted = f"「{law.title}」"
    forms = [f"{quoted}상", f"{quoted}에 따른", f"{quoted}에서 정한", f"{law.title}상", quoted]
    return rng.choice(forms if bare else forms[:-1])


def act_or_article(law: Law, article: Article, text: str, rng: random.Random) -> str:
    """Return how a stem names the act (`「은행법」상`), with the article where `text` uses a short
    name that only the article explains (`「은행법」 제7조에 따른`)."""
    if needs_article(article, text):
        return f"「{law.title}」 {article.number}에 따른"
    return act_phrase(law, rng, bare=False)


def chapter(article: Article) -> str:
    """Return the title of the article's chapter or section without its number."""
    return re.sub(r"^제\d+[편장절관](?:의\d+)? *", "", article.path.split(" > ")[-1].strip())


def topic(
    law: Law,
    laws: Laws,
    articles: tuple[Article, ...],
    style: Style,
    source: Source,
    rng: random.Random,
) -> str:
    """Return what the question is about: the headings of its articles, with or without the act.

    A heading that shares a long run with the law, as `source` has it, is left out: then the stem
    names the chapter or only the act. A stem without the act is used only where no other act has an
    article of that heading.
    """
    headings = list(dict.fromkeys(a.heading.strip() for a in articles if a.heading.strip()))
    if len(headings) > 2:
        headings = [chapter(articles[0])]
    headings = [h for h in headings if h and not shares_run(rewrite(h, style), source)]
    if not headings and len(articles) == 1 and needs_article(articles[0], articles[0].text):
        return f"「{law.title}」 {articles[0].number}"
    if not headings:
        return rng.choice([f"「{law.title}」", law.title, f"「{law.title}」의 규정"])
    shown = [rewrite(heading, style) for heading in headings]
    name = shown[0] if len(shown) == 1 else f"{josa(shown[0], '과/와')} {shown[1]}"
    numbers = [a.number for a in articles[:2]]
    # `회장은 …`, `법 제7조에 따라 …`: the stem has to say of which article or act.
    short = any(needs_article(a, a.text) for a in articles)
    if len(articles) == 1 and short:
        return f"「{law.title}」 {numbers[0]}({name})"
    rare = not short and not law.parent_articles
    rare = rare and all(laws.headings[h] == 1 and len(h) >= 6 for h in headings)
    if rare and rng.random() < UNNAMED_SHARE:
        return name
    if len(articles) == 1 and rng.random() < ARTICLE_SHARE:
        return f"「{law.title}」 {numbers[0]}({name})"
    return f"{act_phrase(law, rng)} {name}"


def asks(subject: str, *, negative: bool, rng: random.Random) -> str:
    """Return the stem that asks for the right (or the wrong) statement about a subject."""
    if not negative and rng.random() < 0.15:
        return f"다음 중 {subject}{rng.choice(POSITIVE[:2])}"
    return f"{subject}{rng.choice(NEGATIVE if negative else POSITIVE)}"
