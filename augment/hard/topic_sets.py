"""Yield statement sets: statements of neighbouring articles, one (or all but one) altered."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.hard.facts import Fact, clause_facts
from kofinlaw.augment.hard.slots import Slot, altered, read_slots
from kofinlaw.augment.hard.stems import asks, topic
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.short_names import needs_article
from kofinlaw.augment.rewording.rewriting import Style, draw_style, rewrite
from kofinlaw.augment.rewording.runs import LONGEST_RUN, Source, longest_run, shares_run
from kofinlaw.records import Article

__all__ = [
    "KINDS",
    "LONGEST",
    "SPAN",
    "Statement",
    "false_version",
    "generate",
    "statement_groups",
    "true_version",
    "usable_statements",
]

KINDS = ("topic_set",)
# Longest statement in characters, and articles that one set may span: all lines must be shown.
LONGEST = 95
SPAN = 8
SMALLEST, LARGEST = 4, 12
# Styles tried for each statement.
ATTEMPTS = 8
# A statement next to others may share a slightly longer run; the key may not (`runs.LONGEST_RUN`).
LONGEST_IN_SET = 16


@dataclass(frozen=True)
class Statement:
    """A fact with its slots, and the style in which a question writes it."""

    fact: Fact
    slots: tuple[Slot, ...]
    style: Style = field(default_factory=lambda: Style(front=False))

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
        usable = usable_statements(around, group, rng)
        if len(usable) < SMALLEST:
            continue
        yield from _negative(around, usable, rng)
        yield from _positive(around, usable, rng)


def usable_statements(
    around: Surroundings, group: Sequence[Statement], rng: random.Random
) -> list[Statement]:
    """Return the statements that share no long run with the articles of the group, each with the
    style of the shortest run.
    """
    articles = tuple({s.article.id: s.article for s in group}.values())
    source = around.source(articles)
    out = []
    for statement in group:
        best = min(_tried(statement, source, rng), key=lambda pair: pair[0])
        if best[0] <= LONGEST_IN_SET:
            out.append(replace(statement, style=best[1]))
    return out


def _tried(statement: Statement, source: Source, rng: random.Random) -> Iterator[tuple[int, Style]]:
    """Yield (longest run, style) of the statement, until it has no long run."""
    for _ in range(ATTEMPTS):
        style = draw_style(rng)
        run = longest_run(rewrite(statement.fact.text, style), source)
        yield run, style
        if run <= LONGEST_RUN:
            return


def true_version(statement: Statement) -> str:
    """Return the statement in its style."""
    return rewrite(statement.fact.text, statement.style) + "."


def false_version(statement: Statement, rng: random.Random) -> str:
    """Return the statement with one slot altered; empty where it has no slot.

    Duties are most frequent and easiest to guess, so another slot comes first.
    """
    if not statement.slots:
        return ""
    slots = [slot for slot in statement.slots if slot.kind != "duty"] or statement.slots
    slot = rng.choice(slots)
    value = slot.wrong[0] if rng.random() < 0.6 else rng.choice(slot.wrong)
    return rewrite(altered(statement.fact, slot, value), statement.style) + "."


def _draft(
    around: Surroundings,
    chosen: Sequence[Statement],
    answer: str,
    wrong: Sequence[str],
    rng: random.Random,
    *,
    negative: bool,
) -> Iterator[Draft]:
    articles = tuple({s.article.id: s.article for s in chosen}.values())
    subject = topic(
        around.law, around.laws, articles, chosen[0].style, around.source(articles), rng
    )
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


def _negative(around: Surroundings, usable: list[Statement], rng: random.Random) -> Iterator[Draft]:
    """Yield for each alterable statement a set in which it alone is false."""
    for odd in usable:
        false = false_version(odd, rng)
        if not false or shares_run(false, around.source([odd.article])):
            continue
        others = _nearest(odd, usable, rng)
        true = [true_version(s) for s in others]
        yield from _draft(around, [odd, *others], false, true, rng, negative=True)


def _positive(around: Surroundings, usable: list[Statement], rng: random.Random) -> Iterator[Draft]:
    """Yield for each statement a set in which it alone is true."""
    for key in usable:
        others = _nearest(key, [s for s in usable if s.slots], rng)
        answer = true_version(key)
        if len(others) < 3 or shares_run(answer, around.source([key.article])):
            continue
        false = [false_version(s, rng) for s in others]
        yield from _draft(around, [key, *others], answer, false, rng, negative=False)


def _nearest(key: Statement, usable: Sequence[Statement], rng: random.Random) -> list[Statement]:
    """Return four other statements, those of the same article first."""
    others = [s for s in usable if s.fact is not key.fact]
    rng.shuffle(others)
    others.sort(key=lambda s: s.article.id != key.article.id)
    return others[:4]
