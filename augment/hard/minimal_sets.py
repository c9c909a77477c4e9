"""Yield minimal sets: one statement of the law in several versions that differ in one slot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.hard.clefts import actor_last, period_last
from kofinlaw.augment.hard.facts import Fact, clause_facts, item_facts, list_facts
from kofinlaw.augment.hard.rewriting import draw_style, rewrite
from kofinlaw.augment.hard.runs import LONGEST_RUN, Source, longest_run, shares_run
from kofinlaw.augment.hard.slots import Slot, SlotKind, altered, read_slots
from kofinlaw.augment.hard.stems import asks, topic
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws

__all__ = ["ATTEMPTS", "KINDS", "generate"]

KINDS = ("slot_figure", "slot_bound", "slot_actor", "slot_duty", "slot_act")
_KIND: dict[SlotKind, str] = {
    "figure": "slot_figure",
    "bound": "slot_bound",
    "actor": "slot_actor",
    "duty": "slot_duty",
    "act": "slot_act",
}
# Styles tried until the statement shares no long run with the law.
ATTEMPTS = 6


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield one question for each slot of each fact that has three wrong values."""
    around = Surroundings(law, laws)
    of_items: dict[str, list[Fact]] = {}
    for here in list_facts(law):
        of_items.setdefault(here.listing.clause.article.id, []).extend(item_facts(here))
    for article in law.articles:
        facts = clause_facts(law, article.id, closed=False) + of_items.get(article.id, [])
        if not facts:
            continue
        source = around.source((article,))
        near = around.near(article)
        for fact in facts:
            rng = source_rng(seed, "minimal", article.id, fact.clause.label, fact.line)
            for slot in read_slots(law, laws, fact, near, around.delegations, rng):
                if len(slot.wrong) >= 3 and _asked(fact, slot):
                    yield from _one_slot(around, fact, slot, source, seed)


def _asked(fact: Fact, slot: Slot) -> bool:
    """Return whether the slot decides the statement.

    An exception may name another party or lift a duty, so these need a sentence without one.
    """
    closed = not (fact.clause.proviso or fact.clause.restricted)
    if fact.origin != fact.clause.main:
        return slot.kind in ("figure", "bound") and slot.value in fact.origin
    return closed or slot.kind in ("figure", "bound")


def _one_slot(
    around: Surroundings, fact: Fact, slot: Slot, source: Source, seed: int
) -> Iterator[Draft]:
    """Yield the question of a slot, in the style whose key shares the shortest run with the law."""
    article = fact.clause.article
    rng = source_rng(seed, "slot", article.id, fact.clause.label, fact.line, slot.kind, slot.value)
    best: tuple[int, str, str, dict[str, str]] | None = None
    for attempt in range(ATTEMPTS):
        style = draw_style(rng)
        subject = topic(around.law, around.laws, (article,), style, rng)
        shape = _shape(fact, slot) if attempt % 2 == 0 else _plain
        answer = rewrite(shape(fact.text, slot.value), style) + "."
        run = longest_run(answer, source)
        if not subject or shares_run(subject, source) or (best and best[0] <= run):
            continue
        versions = {
            value: rewrite(shape(altered(fact, slot, value), value), style) + "."
            for value in slot.wrong
        }
        if _hidden(run, versions.values(), source):
            best = (run, subject, answer, versions)
        if run <= LONGEST_RUN:
            break
    if best is None:
        return
    _, subject, answer, versions = best
    wrong = distinct(answer, list(versions.values()))
    if len(wrong) < 3:
        return
    yield Draft(
        kind=_KIND[slot.kind],
        stem=asks(subject, negative=False, rng=rng),
        answer=answer,
        distractors=wrong,
        units=(article.id,),
        focus=(fact.line,),
        document=around.law.title,
        hard=True,
        readings=_readings(fact, slot, answer, versions),
    )


def _plain(text: str, value: str) -> str:
    return text


def _shape(fact: Fact, slot: Slot) -> Callable[[str, str], str]:
    """Return how to write the versions: with the slot at the end where the sentence allows it."""
    if slot.kind == "figure" and period_last(fact.text, slot.value):
        return period_last
    if slot.kind == "actor" and actor_last(fact.text, slot.value):
        return actor_last
    return _plain


def _hidden(run: int, wrong: Iterable[str], source: Source) -> bool:
    """Return whether the longest run does not give the key away.

    It is short, or most wrong versions share one as long: then it does not lie across the slot.
    """
    if run <= LONGEST_RUN:
        return True
    ties = [longest_run(text, source) >= run for text in wrong]
    return sum(ties) >= max(3, len(ties) - 1)


def _readings(
    fact: Fact, slot: Slot, answer: str, versions: dict[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return the options with the words that the law would have; empty for an ending's sense."""
    if fact.origin.count(slot.value) != 1 or slot.kind == "duty":
        return ()
    return ((answer, slot.value), *((text, value) for value, text in versions.items()))
