"""Ask about lists of 호: which item the law names, and which it does not (해당하지 않는 것은)."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.falsity import items_not_in_list
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.listings import Listing, read_listings

__all__ = ["LONGEST_LEAD", "generate"]

LONGEST_LEAD = 110
# An opening sentence that cannot be understood without the one before it.
_DEPENDS = re.compile(r"제\d+항|같은|^(?:다만|이 경우)")


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield for each list a question about what it names and, if it has three items,
    what it does not.
    """
    known = read_listings(law)
    for here in known:
        clause = here.clause
        rng = source_rng(seed, "enumeration", clause.article.id, clause.label)
        foreign = items_not_in_list(law, here, known, rng)
        yield from _not_named(law, here, foreign, rng)
        yield from _named(law, here, foreign, rng)


def _topic(law: Law, here: Listing, rng: random.Random) -> str:
    """Return the list as the question names it: the sentence that opens it,
    or article and heading.
    """
    clause = here.clause
    if len(here.lead) <= LONGEST_LEAD and not _DEPENDS.search(here.lead):
        where = law_name(law.title) + (f" {clause.citation}" if rng.random() < 0.25 else "")
        return f'{where}의 "{here.lead}"에서 각 호'
    heading = f"({clause.article.heading})" if clause.article.heading else ""
    return f"{law_name(law.title)} {clause.article.number}{heading}{clause.label}의 각 호"


def _not_named(law: Law, here: Listing, foreign: list[str], rng: random.Random) -> Iterator[Draft]:
    if len(here.items) < 3:
        return
    for odd in foreign[:2]:
        right = list(here.items)
        rng.shuffle(right)
        wrong = distinct(odd, right[:6])
        if len(wrong) >= 3:
            yield Draft(
                kind="enumeration_not",
                stem=f"{_topic(law, here, rng)}에 규정된 것이 아닌 것은?",
                answer=odd,
                distractors=wrong,
                units=(here.clause.article.id,),
                focus=(here.lead[:30], *(item[:20] for item in wrong[:4])),
                negative=True,
                document=law.title,
            )


def _named(law: Law, here: Listing, foreign: list[str], rng: random.Random) -> Iterator[Draft]:
    chosen = rng.choice(here.items)
    wrong = distinct(chosen, foreign[:8])
    if len(wrong) >= 3:
        yield Draft(
            kind="enumeration",
            stem=f"{_topic(law, here, rng)}에 규정된 것은?",
            answer=chosen,
            distractors=wrong,
            units=(here.clause.article.id,),
            focus=(here.lead[:30], chosen[:20]),
            document=law.title,
        )
