"""Yield questions on exceptions and conditions: a rule with its 다만 or its case, misread.

One option states rule and exception. In the others the exception is the only case of the rule, the
rule holds in its case too, the opposite case is excepted, or the exception of another rule of the
article is. A condition is misread as its opposite, or as an exception.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.generators.false_conditions import other_conditions
from kofinlaw.augment.generators.similarity import content_bigrams, resembles
from kofinlaw.augment.hard.condition_slots import false_cases
from kofinlaw.augment.hard.facts import Fact, clause_facts, resolved_sentence
from kofinlaw.augment.hard.minimal_sets import Version, question_of
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.conditions import condition_of, conditions, opposite
from kofinlaw.augment.rewording.sentence_ends import connected
from kofinlaw.records import Article

__all__ = ["KINDS", "generate"]

KINDS = ("slot_exception", "slot_condition")
LONGEST_RULE = 100
# Only an exception that lifts the whole rule, by one case or by a list of cases.
_LIFTS = re.compile(r"^다만, (?P<case>[^,]{6,60}(?:경우|때))에는 그러하지 아니하다\.?$")
_LISTED = re.compile(r"^다음 각 ?호의 (?:어느 하나|1)에 해당하는 (?:경우|때)$")
_OPEN_RULE = re.compile(r"각 ?호|[가-힣]만 ")
_VAGUE_CASE = re.compile(r"각 ?호|^(?:그|이|해당|각각) ")
_CASE = re.compile(r"(?:경우|때)(?:에는|에|,| )")
LONGEST_CASE = 60
LONGEST_WITH_CASE = 70


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield a question for each rule whose exception is one case."""
    around = Surroundings(law, laws)
    for article in law.articles:
        clauses = law.by_article.get(article.id, ())
        yield from _condition_questions(around, article, seed)
        for clause in clauses:
            rule = _rule(clause)
            for case in _cases(clause) if rule else ():
                rng = source_rng(seed, "exception_set", article.id, clause.label, case)
                others = other_conditions(clause, case, conditions(clauses), rng)
                items = [content_bigrams(item) for item in clause.items]
                # The rule's own case, or a wider one: `전자문서를 보관하는 경우` of an 전자화문서.
                own = condition_of(rule)
                items += [content_bigrams(own.case)] if own else []
                others = tuple(text for text in others if not resembles(text, items))
                versions = _versions(rule, case, others, rng)
                also = ((article.id, case[:25]),)
                fact = Fact(versions[0].text, clause, clause.main[:30], clause.proviso, also)
                source = around.source((article,))
                yield from question_of(around, fact, "slot_exception", versions, source, seed)


def _condition_questions(around: Surroundings, article: Article, seed: int) -> Iterator[Draft]:
    """Yield a question for each rule of the article that holds in one case and not in its opposite.

    The right option states the rule in its case, or excepts the opposite case from the rule.
    """
    source = around.source((article,))
    for fact in clause_facts(around.law, article.id):
        rng = source_rng(seed, "condition_set", article.id, fact.clause.label)
        found = false_cases(around.law, fact.clause, fact.text, rng)
        if found is None or (against := opposite(found[0].case)) not in found[1]:
            continue
        here = found[0]
        rule = fact.text[: here.start] + here.rest
        wrong = [
            _held(rule, against, "에는"),
            _held(rule, against, "에만"),
            _excepted(rule, here.case),
        ]
        stated = rng.random() < 0.5
        key = _held(rule, here.case, "에는") if stated else _excepted(rule, against)
        yield from question_of(around, fact, "slot_condition", [key, *wrong], source, seed)


def _rule(clause: Clause) -> str:
    """Return the rule as a sentence that can be judged alone; empty for none."""
    if clause.restricted or clause.rest or len(clause.main) > LONGEST_RULE:
        return ""
    rule = resolved_sentence(clause.main, clause.article.heading)
    if not rule.endswith("다") or _OPEN_RULE.search(rule):
        return ""
    # With a case of its own and an exception, a long rule is hard to read.
    return "" if len(rule) > LONGEST_WITH_CASE and re.search("경우|때", rule) else rule


def _cases(clause: Clause) -> list[str]:
    """Return up to three cases that 다만 excepts from the whole rule."""
    match = _LIFTS.match(clause.proviso)
    if not match:
        return []
    found = [match.group("case")]
    if _LISTED.match(found[0]):
        found = [item.rstrip(". ") for item in clause.items if "(" not in item]
    heading = clause.article.heading
    cases = [resolved_sentence(case, heading) for case in found if len(case) <= LONGEST_CASE]
    return [
        case for case in cases if case.endswith(("경우", "때")) and not _VAGUE_CASE.search(case)
    ][:3]


def _versions(rule: str, case: str, others: tuple[str, ...], rng: random.Random) -> list[Version]:
    """Return the versions; the first one is true.

    It states the exception, or that the rule holds in the opposite case, so that the form of the
    sentence gives nothing away.
    """
    against = opposite(case)
    only, too = _held(rule, case, "에만"), _held(rule, case, "에도")
    # `합의하지 않은 때에는 서면으로 체결할 때에는`: two cases in a row.
    if against and not _CASE.search(rule) and rng.random() < 0.5:
        wrong = [_excepted(rule, against), only, too]
        return [_held(rule, against, "에는"), *wrong, *(_excepted(rule, t) for t in others[:1])]
    wrong = [only, too, *([_excepted(rule, against)] if against else [])]
    wrong += [_excepted(rule, text) for text in others[:2]]
    wrong += [_held(rule, text, "에만") for text in others[:1]]
    return [_excepted(rule, case), *wrong]


def _excepted(rule: str, case: str) -> Version:
    """Return the statement that the rule holds except in a case."""
    return Version(f"{connected(rule, '지만')}, {case}에는 예외로 한다", (case, "except"))


def _held(rule: str, case: str, particle: str) -> Version:
    """Return the statement that the rule holds in a case: 에는, 에만 or 에도."""
    return Version(f"{case}{particle} {rule}", (case, particle))
