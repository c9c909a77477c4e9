"""Yield minimal sets: one statement of the law in several versions with other values in its slots.

Either one slot has four values, or two slots have two values each (2×2): then no value is in the
key alone. All values are words of the same article; only what they are bound to differs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.hard.clefts import actor_last, period_last
from kofinlaw.augment.hard.facts import Fact, clause_facts, item_facts, list_facts
from kofinlaw.augment.hard.rewriting import Style, draw_style, rewrite
from kofinlaw.augment.hard.roles import reversed_roles
from kofinlaw.augment.hard.runs import LONGEST_RUN, Source, longest_run
from kofinlaw.augment.hard.slots import Slot, SlotKind, altered, read_slots
from kofinlaw.augment.hard.stems import asks, topic
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import simplify
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.particles import replace_span

__all__ = ["ATTEMPTS", "KINDS", "Version", "generate", "question_of", "version_sets"]

KINDS = ("slot_figure", "slot_bound", "slot_actor", "slot_act", "slot_pair")
_KIND: dict[SlotKind, str] = {
    "figure": "slot_figure",
    "bound": "slot_bound",
    "actor": "slot_actor",
    "act": "slot_act",
}
# Styles tried until the statement shares no long run with the law.
ATTEMPTS = 6
# Pairs of slots where a version with both values wrong is plainly wrong too. Not a party with
# another duty: what one party must do, another may do.
_PAIRS = frozenset(
    [
        ("figure", "duty"),
        ("figure", "actor"),
        ("figure", "bound"),
        ("figure", "act"),
        ("figure", "figure"),
        ("actor", "act"),
    ]
)


@dataclass(frozen=True)
class Version:
    """A version of a fact: its text and the words that its slots hold, in order of the slots."""

    text: str
    values: tuple[str, ...]


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield the one-slot and two-slot questions of each fact."""
    around = Surroundings(law, laws)
    of_items: dict[str, list[Fact]] = {}
    for here in list_facts(law):
        of_items.setdefault(here.listing.clause.article.id, []).extend(item_facts(here))
    for article in law.articles:
        facts = clause_facts(law, article.id, closed=False) + of_items.get(article.id, [])
        source = around.source((article,)) if facts else None
        for fact in facts:
            rng = source_rng(seed, "minimal", article.id, fact.clause.label, fact.line)
            slots = [
                slot
                for slot in read_slots(law, laws, fact, around.delegations, rng)
                if _asked(fact, slot)
            ]
            if source is not None:
                for kind, versions in version_sets(law, laws, fact, slots):
                    yield from question_of(around, fact, kind, versions, source, seed)


def _asked(fact: Fact, slot: Slot) -> bool:
    """Return whether the slot decides the statement.

    An exception may name another party or lift a duty, so these need a sentence without one.
    """
    closed = not (fact.clause.proviso or fact.clause.restricted)
    if fact.origin != fact.clause.main:
        return slot.kind in ("figure", "bound") and slot.value in fact.origin
    return closed or slot.kind in ("figure", "bound")


def version_sets(
    law: Law, laws: Laws, fact: Fact, slots: Sequence[Slot]
) -> Iterator[tuple[str, list[Version]]]:
    """Yield (kind, versions) of each possible set; the first version is the true one."""
    turned = reversed_roles(law, fact) if not fact.clause.proviso else ""
    for slot in slots:
        versions = [Version(altered(fact, slot, v), (v,)) for v in (slot.value, *slot.wrong)]
        if turned and slot.kind == "actor":
            versions.append(Version(turned, ("",)))
        if len(versions) >= 4 and slot.kind != "duty":
            yield _KIND[slot.kind], versions[:6]
    for first, second in itertools.combinations(slots, 2):
        if (first.kind, second.kind) in _PAIRS or (second.kind, first.kind) in _PAIRS:
            yield "slot_pair", _square(laws, fact, first, second)
    for slot in slots:
        if turned and slot.kind in ("figure", "act"):
            yield "slot_pair", _turned_square(law, fact, turned, slot)


def _square(laws: Laws, fact: Fact, first: Slot, second: Slot) -> list[Version]:
    """Return the versions with either value in two slots, and one with a third value."""
    pairs = [
        (first.value, second.value),
        (first.value, second.wrong[0]),
        (first.wrong[0], second.value),
        (first.wrong[0], second.wrong[0]),
        *((value, second.value) for value in first.wrong[1:2]),
    ]
    out: list[Version] = []
    for pair in pairs:
        text = fact.text
        for slot, value in sorted(
            zip((first, second), pair, strict=True), key=lambda item: -item[0].start
        ):
            text = replace_span(text, slot.start, slot.end, value)
        if normalize(text) not in laws.sentences or not out:
            out.append(Version(text, pair))
    return out


def _turned_square(law: Law, fact: Fact, turned: str, slot: Slot) -> list[Version]:
    """Return the versions with either direction of the act and either value of a slot."""
    wrong = slot.wrong[0]
    if turned.count(slot.value) != 1:
        return []
    at = turned.index(slot.value)
    return [
        Version(fact.text, (slot.value,)),
        Version(altered(fact, slot, wrong), (wrong,)),
        Version(turned, ("",)),
        Version(replace_span(turned, at, at + len(slot.value), wrong), ("",)),
    ]


def question_of(
    around: Surroundings,
    fact: Fact,
    kind: str,
    versions: Sequence[Version],
    source: Source,
    seed: int,
) -> Iterator[Draft]:
    """Yield the question of a set, in the style whose key shares the shortest run with the law."""
    if len(versions) < 4:
        return
    article = fact.clause.article
    rng = source_rng(seed, "slot", article.id, fact.clause.label, fact.line, kind, str(versions))
    best: tuple[int, str, list[str]] | None = None
    for attempt in range(ATTEMPTS):
        style = draw_style(rng)
        subject = topic(around.law, around.laws, (article,), style, source, rng)
        shape = _shape(kind, versions) if attempt % 2 == 0 else None
        options = [_written(version, style, shape) for version in versions]
        run = longest_run(options[0], source)
        if (best is None or run < best[0]) and _hidden(run, options[1:], source):
            best = (run, subject, options)
        if best is not None and best[0] <= LONGEST_RUN:
            break
    if best is None:
        return
    _, subject, options = best
    wrong = distinct(options[0], options[1:])
    if len(wrong) < 3:
        return
    yield Draft(
        kind=kind,
        stem=asks(subject, negative=False, rng=rng),
        answer=options[0],
        distractors=wrong,
        units=tuple(dict.fromkeys([article.id, *(unit for unit, _ in fact.also)])),
        focus=(fact.line, *(line for _, line in fact.also), *_lines(fact, versions)),
        document=around.law.title,
        hard=True,
        readings=_readings(fact, versions, options),
    )


def _written(version: Version, style: Style, shape: Callable[[str, str], str] | None) -> str:
    text = shape(version.text, version.values[0]) if shape is not None else version.text
    return rewrite(text, style) + "."


def _shape(kind: str, versions: Sequence[Version]) -> Callable[[str, str], str] | None:
    """Return how to put the slot at the end; None where the sentences do not allow it."""
    shape = {"slot_figure": period_last, "slot_actor": actor_last}.get(kind)
    if shape is None or not all(v.values[0] and shape(v.text, v.values[0]) for v in versions):
        return None
    return shape


def _hidden(run: int, wrong: Sequence[str], source: Source) -> bool:
    """Return whether the longest run does not give the key away.

    It is short, or most wrong versions share one as long: then it does not lie across the slot.
    """
    if run <= LONGEST_RUN:
        return True
    ties = [longest_run(text, source) >= run for text in wrong]
    return sum(ties) >= min(len(ties), 2)


def _lines(fact: Fact, versions: Sequence[Version]) -> list[str]:
    """Return phrases of the article's other lines that hold the wrong values."""
    out = []
    lines = [simplify(line)[0] for line in fact.clause.article.text.split("\n")]
    for version in versions[1:4]:
        for value in version.values:
            line = next((t for t in lines if value and value in t), "")
            if line and normalize(fact.line) not in normalize(line):
                at = line.index(value)
                out.append(line[max(at - 12, 0) : at + len(value)].strip())
    return out


def _readings(
    fact: Fact, versions: Sequence[Version], options: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return the options with the word that the law would have; empty without one.

    Only versions that differ from the true one in one slot have such a word, and all of them in the
    same slot.
    """
    true = versions[0].values
    for place, value in enumerate(true):
        # An ending cannot be replaced in the law by another word.
        if not value or fact.origin.count(value) != 1 or value.endswith("다"):
            continue
        found = [
            (option, version.values[place])
            for option, version in zip(options, versions, strict=True)
            if len(version.values) == len(true)
            and all(
                v == t
                for i, (v, t) in enumerate(zip(version.values, true, strict=True))
                if i != place
            )
            and version.values[place]
        ]
        if len(found) > 1:
            return tuple(found)
    return ()
