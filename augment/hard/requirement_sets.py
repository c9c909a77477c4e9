"""Yield questions on lists of cases: does one case suffice, or must all be met?

Two items represent the list. Half of the options say that one suffices, half that both must be met;
some name an item of another list, or the opposite of one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.generators.falsity import items_not_in_list
from kofinlaw.augment.hard.facts import Fact, ListFact, list_facts, resolved_sentence
from kofinlaw.augment.hard.minimal_sets import Version, question_of
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.conditions import opposite
from kofinlaw.augment.reading.listings import Listing, read_listings
from kofinlaw.data.korean.words import josa

__all__ = ["KINDS", "generate"]

KINDS = ("slot_requirement",)
LONGEST = 150
REACH = 10
_ANY = re.compile(r"각 ?호의 어느 하나에 해당하는")
_ALL = re.compile(
    r"^(?P<before>.*)다음 각 ?호의 요건을 모두 (?:갖추어야|충족하여야|충족해야) 한다\.?$"
)
_AFTER = re.compile(r"^(?:에는|에),? ")


@dataclass(frozen=True)
class _Form:
    """A list as a sentence: what comes before two of its items, and what the law says after them,
    rightly and wrongly."""

    before: str
    items: tuple[str, ...]
    right: str
    wrong: str


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield a question for each list of cases of which any suffices, or of requirements that must
    all be met.
    """
    around = Surroundings(law, laws)
    cases = [here for here in list_facts(law) if here.noun in ("경우", "때")]
    found = [(here.listing, _any_case(here)) for here in cases]
    lists = [listing for listing, _ in found]
    yield from _questions(around, found, lists, seed)
    every = [(listing, _all_of(listing)) for listing in read_listings(law)]
    every = [(listing, form) for listing, form in every if form is not None]
    yield from _questions(around, every, [listing for listing, _ in every], seed)


def _any_case(here: ListFact) -> _Form | None:
    """Return the form of a list of cases; None where the sentence has another form."""
    after = _AFTER.sub("", here.after)
    if not _ANY.search(here.listing.lead) or after == here.after or not after.endswith("다"):
        return None
    return _Form(
        here.before,
        here.items,
        f"가운데 하나에만 해당하여도 {after}",
        f"두 가지에 모두 해당하는 때에만 {after}",
    )


def _all_of(listing: Listing) -> _Form | None:
    """Return the form of a list of requirements; None where the sentence has another form."""
    match = _ALL.match(listing.lead)
    items = tuple(item for item in listing.items if item.endswith("것"))
    if not match or len(items) < 2:
        return None
    before = resolved_sentence(f"{match.group('before')}§", listing.clause.article.heading)
    if not before.endswith("§"):
        return None
    return _Form(
        before.removesuffix("§"),
        items,
        "두 가지 요건을 모두 갖추어야 한다",
        "두 가지 요건 가운데 하나만 갖추면 된다",
    )


def _questions(
    around: Surroundings,
    found: Sequence[tuple[Listing, _Form | None]],
    lists: Sequence[Listing],
    seed: int,
) -> Iterator[Draft]:
    for listing, form in found:
        if form is None:
            continue
        article = listing.clause.article
        place = around.position[article.id]
        near = [
            other
            for other in lists
            if abs(around.position[other.clause.article.id] - place) <= REACH
        ]
        rng = source_rng(seed, "requirement", article.id, listing.clause.label)
        foreign = items_not_in_list(around.law, listing, near, rng)
        versions = _versions(form, foreign, rng)
        if not versions or len(versions[0].text) > LONGEST:
            continue
        also = tuple((article.id, item[:20]) for item in versions[0].values[:2])
        fact = Fact(versions[0].text, listing.clause, listing.lead[:30], listing.lead, also)
        source = around.source((article,))
        yield from question_of(around, fact, "slot_requirement", versions, source, seed)


def _versions(form: _Form, foreign: Sequence[str], rng: random.Random) -> list[Version]:
    """Return the versions with the right and the wrong need, one of the items wrong in half of
    them; none if there is no wrong item. The first version is true.
    """
    items = list(form.items)
    rng.shuffle(items)
    # The opposite of a case is the nearest wrong one.
    second = next((item for item in items if opposite(item)), items[0])
    first = next(item for item in items if item != second)
    wrong = [*(c for c in (opposite(second),) if c), *foreign][:2]
    if not wrong:
        return []
    return [
        Version(f"{form.before}{josa(first, '과/와')} {item} {need}", (first, item, need))
        for item in (second, *wrong)
        for need in (form.right, form.wrong)
    ]
