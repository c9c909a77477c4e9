"""Yield statement sets: statements of neighbouring articles, one (or all but one) altered."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.hard.facts import Fact, clause_facts
from kofinlaw.augment.hard.rewriting import Style, draw_style, rewrite
from kofinlaw.augment.hard.runs import longest_run, shares_run
from kofinlaw.augment.hard.slots import Slot, altered, read_slots
from kofinlaw.augment.hard.stems import asks, topic
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.short_names import needs_article
from kofinlaw.records import Article

__all__ = [
    "KINDS",
    "LONGEST",
    "SPAN",
    "Statement",
    "false_version",
    "generate",
    "statement_groups",
    "usable_statements",
]

KINDS = ("topic_set",)
# Longest statement in characters, and articles that one set may span: all lines must be shown.
LONGEST = 85
SPAN = 8
SMALLEST, LARGEST = 4, 8
# A statement next to others may share a slightly longer run; the key may not (`runs.LONGEST_RUN`).
LONGEST_IN_SET = 16


@dataclass(frozen=True)
class Statement:
    """A fact with its slots."""

    fact: Fact
    slots: tuple[Slot, ...]

    @property
    def article(self) -> Article:
        """The article that says it."""
        return self.fact.clause.article


def statement_groups(around: Surroundings, seed: int) -> Iterator[list[Statement]]:
    """Yield groups of statements of one chapter, at most `SPAN` articles apart."""
    group: list[Statement] = []
    for article in around.law.articles:
        far = group and (
            article.path != group[0].article.path
            or around.position[article.id] - around.position[group[0].article.id] >= SPAN
        )
        if far or len(group) >= LARGEST:
            if len(group) >= SMALLEST:
                yield group
            group = []
        for fact in clause_facts(around.law, article.id):
            # Next to other articles a short name of this one could mean anything.
            if len(fact.text) > LONGEST or needs_article(article, fact.text):
                continue
            rng = source_rng(seed, "topic", article.id, fact.clause.label)
            slots = read_slots(around.law, around.laws, fact, around.delegations, rng)
            group.append(Statement(fact, tuple(slots)))
    if len(group) >= SMALLEST:
        yield group


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield for each group negative questions (one altered) and positive ones (one true)."""
    around = Surroundings(law, laws)
    for number, group in enumerate(statement_groups(around, seed)):
        rng = source_rng(seed, "topic_set", group[0].article.id, str(number))
        style = draw_style(rng)
        usable = usable_statements(around, group, style)
        if len(usable) < SMALLEST:
            continue
        yield from _negative(around, usable, style, rng)
        yield from _positive(around, usable, style, rng)


def usable_statements(
    around: Surroundings, group: Sequence[Statement], style: Style
) -> list[Statement]:
    """Return the statements that share no long run with the articles of the group."""
    articles = tuple({s.article.id: s.article for s in group}.values())
    source = around.source(articles)
    return [s for s in group if longest_run(rewrite(s.fact.text, style), source) <= LONGEST_IN_SET]


def false_version(statement: Statement, style: Style, rng: random.Random) -> str:
    """Return the statement with one slot altered; empty where it has no slot."""
    if not statement.slots:
        return ""
    slot = rng.choice(statement.slots)
    value = slot.wrong[0] if rng.random() < 0.6 else rng.choice(slot.wrong)
    return rewrite(altered(statement.fact, slot, value), style) + "."


def _draft(
    around: Surroundings,
    chosen: Sequence[Statement],
    answer: str,
    wrong: Sequence[str],
    style: Style,
    rng: random.Random,
    *,
    negative: bool,
) -> Iterator[Draft]:
    articles = tuple({s.article.id: s.article for s in chosen}.values())
    subject = topic(around.law, around.laws, articles, style, around.source(articles), rng)
    options = distinct(answer, wrong)
    if len(options) < 3:
        return
    yield Draft(
        kind="topic_set",
        stem=asks(subject, negative=negative, rng=rng),
        answer=answer,
        distractors=options,
        units=tuple(a.id for a in articles),
        focus=tuple(s.fact.line for s in chosen),
        negative=negative,
        document=around.law.title,
        hard=True,
    )


def _negative(
    around: Surroundings, usable: list[Statement], style: Style, rng: random.Random
) -> Iterator[Draft]:
    """Yield for each alterable statement a set in which it alone is false."""
    for odd in usable:
        false = false_version(odd, style, rng)
        if not false or shares_run(false, around.source([odd.article])):
            continue
        others = [s for s in usable if s is not odd]
        rng.shuffle(others)
        others = others[:4]
        true = [rewrite(s.fact.text, style) + "." for s in others]
        yield from _draft(around, [odd, *others], false, true, style, rng, negative=True)


def _positive(
    around: Surroundings, usable: list[Statement], style: Style, rng: random.Random
) -> Iterator[Draft]:
    """Yield for each statement a set in which it alone is true."""
    for key in usable:
        others = [s for s in usable if s is not key and s.slots]
        answer = rewrite(key.fact.text, style) + "."
        if len(others) < 3 or shares_run(answer, around.source([key.article])):
            continue
        rng.shuffle(others)
        others = others[:4]
        false = [false_version(s, style, rng) for s in others]
        yield from _draft(around, [key, *others], answer, false, style, rng, negative=False)
