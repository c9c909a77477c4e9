"""Find what a teacher is shown for multiple-choice examples: questions by rule, pairs to compare.

The options and the right one always come from a rule. The teacher only writes the words around
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.option_choice import build_item, find_problem
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.figures import clearly_differ, find_figures, question_word
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.offences import read_offences
from kofinlaw.augment.teacher.tasks import LONGEST_PASSAGE, SHORTEST_PASSAGE, Source
from kofinlaw.data.korean.words import bigrams

__all__ = [
    "LEAST_SHARED",
    "LONGEST_CHOICE_PASSAGE",
    "PARAPHRASED",
    "STAGED",
    "choice_sources",
    "pair_sources",
]

# Kinds of question that keep their meaning in other words; the others ask for the words themselves.
PARAPHRASED = frozenset(
    [
        *("quantity", "actor", "addressee", "exception", "enumeration", "enumeration_not"),
        *("statement_true", "statement_false", "definition_term", "penalty"),
    ]
)
# Kinds that a case can ask: who, towards whom, how much.
STAGED = frozenset(["quantity", "actor", "addressee"])
LONGEST_CHOICE_PASSAGE = 400  # characters
# Share of the shorter provision's bigrams that a pair must share: both are about like things.
LEAST_SHARED = 0.2
_NEIGHBOURS = 40  # provisions that each one is compared with
_PROCEDURE = re.compile(r"(신고|등록|허가|인가|승인)(?:을|를)? ?(?:하여야|해야|받아야) 한다\.?$")


def choice_sources(
    drafts: Sequence[Draft], laws: Sequence[Law], seed: int, kinds: frozenset[str]
) -> list[Source]:
    """Return the questions of these kinds as items with four or five options.

    Left out are questions whose provision is longer than `LONGEST_CHOICE_PASSAGE`, or that
    `find_problem` refuses.
    """
    by_title = {law.title: law for law in laws}
    found = []
    for draft in drafts:
        if draft.kind not in kinds or draft.document not in by_title:
            continue
        clause = _clause(by_title[draft.document], draft)
        if clause is None or len(clause.body) > LONGEST_CHOICE_PASSAGE:
            continue
        rng = source_rng(seed, "teacher choice", draft.kind, draft.stem, draft.answer)
        item = build_item(draft, rng.choice((4, 5)), rng)
        if item is None or find_problem(item) is not None:
            continue
        found.append(
            Source(
                clause.article.id,
                draft.document,
                clause.citation,
                clause.body,
                draft.stem,
                item.right,
                item.options,
                item.answer,
                draft.negative,
            )
        )
    return found


def _clause(law: Law, draft: Draft) -> Clause | None:
    """Return the clause that holds all deciding phrases of a draft of one article."""
    wanted = [normalize(phrase) for phrase in draft.focus]
    for clause in law.by_article.get(draft.units[0], ()) if len(draft.units) == 1 else ():
        body = normalize(clause.body)
        if wanted and all(phrase in body for phrase in wanted):
            return clause
    return None


class _Slot(NamedTuple):
    """A provision with the one slot by which it can differ from another.

    Provisions of one `group` can be compared; `value` is the slot's text, `about` what the
    provision is about.
    """

    group: str
    value: str
    about: str
    source: Source


def pair_sources(laws: Sequence[Law], seed: int) -> list[Source]:
    """Return pairs of provisions about like things, with the deadline, the procedure (신고, 등록,
    허가 …) or the sanction (과태료, 벌금 …) of each.

    A pair has four options with two values: a and b, b and a, twice a, twice b. In every second
    pair both provisions have the same value, so that neither equal nor different values, nor the
    length of an option, show the right one.
    """
    groups: dict[str, list[_Slot]] = {}
    for law in laws:
        for slot in (*_figures(law), *_procedures(law), *_sanctions(law)):
            groups.setdefault(slot.group, []).append(slot)
    different: list[Source] = []
    equal: list[Source] = []
    for name in sorted(groups):
        group = groups[name]
        source_rng(seed, "teacher pair", name).shuffle(group)
        used: set[int] = set()
        for index, first in enumerate(group):
            wanted = len(equal) < len(different)
            for same in (wanted, not wanted):
                partner = None if index in used else _partner(group, index, used, same=same)
                if partner is None:
                    continue
                second = group[partner]
                rng = source_rng(seed, "teacher pair", first.source.passage)
                other = _other_value(group, first, rng) if same else second.value
                if other:
                    used |= {index, partner}
                    (equal if same else different).append(_pair(first, second, other, rng))
    kept = min(len(equal), len(different))
    return [pair for both in zip(different[:kept], equal[:kept], strict=True) for pair in both]


def _partner(group: Sequence[_Slot], index: int, used: set[int], *, same: bool) -> int | None:
    """Return the index of the most similar of the next provisions with the same or another value.

    None if no unused one is similar enough.
    """
    first = group[index]
    near = []
    for n in range(index + 1, min(index + 1 + _NEIGHBOURS, len(group))):
        fits = group[n].value == first.value if same else _comparable(first, group[n])
        if n not in used and fits and group[n].source.passage != first.source.passage:
            near.append((_shared(first, group[n]), n))
    best = max(near, default=(0.0, 0))
    return best[1] if best[0] >= LEAST_SHARED else None


def _other_value(group: Sequence[_Slot], slot: _Slot, rng: Random) -> str:
    """Return a value of another provision of the group that differs from the slot's; or empty."""
    found = sorted({other.value for other in group if _comparable(slot, other)})
    return rng.choice(found) if found else ""


def _short(clause: Clause) -> bool:
    return (
        SHORTEST_PASSAGE <= len(clause.main) <= LONGEST_PASSAGE
        and not re.search("각 ?호", clause.main)
        and not clause.proviso
        and not clause.restricted
    )


def _source(clause: Clause, law: Law, passage: str, value: str) -> Source:
    return Source(clause.article.id, law.title, clause.citation, passage, "", value)


def _figures(law: Law) -> Iterator[_Slot]:
    """Yield short provisions with exactly one figure that a question can ask for."""
    for clause in law.clauses:
        found = find_figures(clause.main)
        if _short(clause) and len(found) == 1 and question_word(found[0]):
            ending = clause.main.rstrip(". ").split(" ")[-1]
            group = f"{found[0].unit} {ending}"
            source = _source(clause, law, clause.main, found[0].text)
            yield _Slot(group, found[0].text, clause.main, source)


def _procedures(law: Law) -> Iterator[_Slot]:
    """Yield short provisions that require a report, registration, permit or approval."""
    for clause in law.clauses:
        match = _PROCEDURE.search(clause.main)
        if match and _short(clause) and clause.main.count(match[1]) == 1:
            source = _source(clause, law, clause.main, match[1])
            yield _Slot("procedure", match[1], clause.main, source)


def _sanctions(law: Law) -> Iterator[_Slot]:
    """Yield short offences with their sanction."""
    for offence in read_offences(law):
        passage = f"{offence.clause.main} {offence.text}"
        if len(passage) <= LONGEST_CHOICE_PASSAGE:
            source = _source(offence.clause, law, passage, offence.sanction)
            yield _Slot("sanction", offence.sanction, offence.violation, source)


def _shared(first: _Slot, second: _Slot) -> float:
    one, two = (set(bigrams(slot.about)) for slot in (first, second))
    return len(one & two) / max(min(len(one), len(two)), 1)


def _comparable(first: _Slot, second: _Slot) -> bool:
    """Return whether two slots have different values, and neither provision has the other's."""
    if first.value == second.value:
        return False
    one, two = find_figures(first.value), find_figures(second.value)
    if len(one) == len(two) == 1 and not clearly_differ(one[0], two[0]):
        return False
    passages = (first.source.passage, second.source.passage)
    return second.value not in passages[0] and first.value not in passages[1]


def _pair(first: _Slot, second: _Slot, other: str, rng: Random) -> Source:
    """Return the pair with its four options in random order; `other` is the second value."""
    a, b = first.value, second.value
    right = f"(가) {a}, (나) {b}"
    options = [f"(가) {x}, (나) {y}" for x in (a, other) for y in (a, other)]
    rng.shuffle(options)
    one = first.source
    return Source(
        one.unit,
        one.title,
        one.citation,
        one.passage,
        "",
        a,
        tuple(options),
        options.index(right),
        second=second.source,
    )
