"""Ask about lists of 호: which item the law names, and which it does not (해당하지 않는 것은)."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.falsity import items_not_in_list
from kofinlaw.augment.generators.stems import QUOTED_SHARE, choose, opening
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.kinds import noun_class
from kofinlaw.augment.reading.listings import Listing, read_listings
from kofinlaw.augment.reading.particles import follow
from kofinlaw.augment.reading.phrasing import list_noun

__all__ = ["LONGEST_LEAD", "generate"]

LONGEST_LEAD = 110
# An opening sentence that cannot be understood without the one before it.
_DEPENDS = re.compile(r"제\d+항|같은|^(?:다만|이 경우)")
_NAMED = (
    "{thing}에 해당하는 것은?",
    "{thing}으로 옳은 것은?",
    "{thing}로 규정된 것은?",
    "다음 중 {thing}에 해당하는 것은?",
    "{thing}에 포함되는 것은?",
    "{thing}로 볼 수 있는 것은?",
)
_NOT_NAMED = (
    "{thing}에 해당하지 않는 것은?",
    "{thing}으로 옳지 않은 것은?",
    "{thing}가 아닌 것은?",
    "다음 중 {thing}에 해당하지 않는 것은?",
    "{thing}에 포함되지 않는 것은?",
    "{thing}로 규정되지 않은 것은?",
    "{thing}로 볼 수 없는 것은?",
)


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield for each list a question about what it names and, if it has three items,
    what it does not. All options of a question are of one class (person, body, act, document …).
    """
    known = read_listings(law)
    for here in known:
        clause = here.clause
        rng = source_rng(seed, "enumeration", clause.article.id, clause.label)
        foreign = items_not_in_list(law, here, known, rng)
        yield from _not_named(law, here, foreign, rng)
        yield from _named(law, here, foreign, rng)


def _stem(law: Law, here: Listing, rng: random.Random, *, negative: bool) -> str:
    """Return a stem: the opening sentence as a noun phrase or quoted, or article and heading."""
    clause = here.clause
    alone = len(here.lead) <= LONGEST_LEAD and not _DEPENDS.search(here.lead)
    found = list_noun(here.lead) if alone else None
    if found and rng.random() >= QUOTED_SHARE:
        thing = f"{found[0]} {found[1]}"
        start = opening(clause, rng)
        forms = [f"{start} {_fit(form, thing)}" for form in (_NOT_NAMED if negative else _NAMED)]
        if stem := choose(forms, rng, negative=negative):
            return stem
    end = "규정된 것이 아닌 것은?" if negative else "규정된 것은?"
    if alone:
        where = law_name(law.title) + (f" {clause.citation}" if rng.random() < 0.25 else "")
        return f'{where}의 "{here.lead}"에서 각 호에 {end}'
    heading = f"({clause.article.heading})" if clause.article.heading else ""
    return f"{law_name(law.title)} {clause.article.number}{heading}{clause.label}의 각 호에 {end}"


def _fit(form: str, thing: str) -> str:
    """Return the form with the noun phrase and the particle that fits it."""
    before, _, tail = form.partition("{thing}")
    return before + follow(thing, tail)


def _not_named(law: Law, here: Listing, foreign: list[str], rng: random.Random) -> Iterator[Draft]:
    if len(here.items) < 3:
        return
    for odd in _first_by_class(foreign, 2):
        right = [item for item in here.items if noun_class(item) == noun_class(odd)]
        rng.shuffle(right)
        wrong = distinct(odd, right[:6])
        if len(wrong) >= 3:
            yield Draft(
                kind="enumeration_not",
                stem=_stem(law, here, rng, negative=True),
                answer=odd,
                distractors=wrong,
                units=(here.clause.article.id,),
                focus=(here.lead[:30], *(item[:20] for item in wrong[:4])),
                negative=True,
                document=law.title,
            )


def _first_by_class(items: list[str], most: int) -> list[str]:
    """Return the first `most` items of each class, in order."""
    seen: dict[str, int] = {}
    out = []
    for item in items:
        kind = noun_class(item)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= most:
            out.append(item)
    return out


def _named(law: Law, here: Listing, foreign: list[str], rng: random.Random) -> Iterator[Draft]:
    chosen = rng.choice(here.items)
    alike = [text for text in foreign if noun_class(text) == noun_class(chosen)]
    wrong = distinct(chosen, alike[:8])
    if len(wrong) >= 3:
        yield Draft(
            kind="enumeration",
            stem=_stem(law, here, rng, negative=False),
            answer=chosen,
            distractors=wrong,
            units=(here.clause.article.id,),
            focus=(here.lead[:30], chosen[:20]),
            document=law.title,
        )
