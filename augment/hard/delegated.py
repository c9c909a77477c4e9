"""Yield questions over an act and its decree: the act's rule with what the decree fills in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.hard.facts import Fact
from kofinlaw.augment.hard.minimal_sets import question_of, version_sets
from kofinlaw.augment.hard.slots import read_slots
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.particles import replace_span
from kofinlaw.records import Article

__all__ = ["KINDS", "delegated_facts", "generate"]

KINDS = ("delegated",)
LONGEST = 150
_FILLS_IN = re.compile(
    r"^법 (?P<number>제\d+조(?:의\d+)?)(?:(?P<label>제\d+항))?[^\"“]{0,30}에서 "
    r"[\"“](?P<phrase>대통령령으로 정하는 [^\"”]{1,25})[\"”](?:이란|란|이라 함은|라 함은) "
    r"(?P<meaning>[^\"“”]{2,60}?)(?:을|를) 말한다"
)
_OPEN = re.compile(r"각 ?호|각 ?목|다음|제\d+항|그러하지|불구하고|같은 [조항]|별표")


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield for each figure that the decree fills into a rule of its act the questions on it."""
    if not law.parent_articles:
        return
    around = Surroundings(law, laws)
    for fact in delegated_facts(law, laws):
        rng = source_rng(seed, "delegated", fact.clause.article.id, fact.clause.label)
        slots = read_slots(law, laws, fact, around.delegations, rng)
        asked = [s for s in slots if s.kind in ("figure", "bound", "duty")]
        articles = [fact.clause.article, *_parents(law, fact)]
        source = around.source(articles)
        for _, versions in version_sets(law, laws, fact, asked):
            yield from question_of(around, fact, "delegated", versions, source, seed)


def _parents(law: Law, fact: Fact) -> list[Article]:
    return [a for a in law.parent_articles if a.id in {unit for unit, _ in fact.also}]


def delegated_facts(law: Law, laws: Laws) -> list[Fact]:
    """Return the act's rules with the decree's words in place of `대통령령으로 정하는 …`."""
    parents = {article.number: article for article in law.parent_articles}
    parent = next((act for act in laws.acts if act.articles == law.parent_articles), None)
    out = []
    for clause in law.clauses:
        match = _FILLS_IN.match(clause.main)
        if not match or parent is None or match.group("number") not in parents:
            continue
        phrase, meaning = match.group("phrase"), match.group("meaning")
        if not find_figures(meaning) or _OPEN.search(meaning):
            continue
        for rule in parent.by_article.get(parents[match.group("number")].id, ()):
            if match.group("label") and rule.label != match.group("label"):
                continue
            text = _filled(rule, phrase, meaning)
            if text:
                also = ((rule.article.id, rule.main[:30]),)
                out.append(Fact(text, clause, clause.main[:30], clause.main, also))
    return out


def _filled(rule: Clause, phrase: str, meaning: str) -> str:
    """Return the rule with the meaning in place of the phrase; empty where it is not closed."""
    sentence = rule.main.rstrip(". ")
    if sentence.count(phrase) != 1 or rule.proviso or rule.restricted:
        return ""
    start = sentence.index(phrase)
    text = replace_span(sentence, start, start + len(phrase), meaning)
    if _OPEN.search(text) or len(text) > LONGEST or not text.endswith("다"):
        return ""
    return text
