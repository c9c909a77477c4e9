import random
from collections import Counter
from dataclasses import replace

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.selection import select
from kofinlaw.augment.settings import AugmentSettings

DRAFT = Draft(
    "quantity", "며칠인가?", "10일", ("5일", "7일", "14일", "30일"), ("법 제1조",), ("10일",)
)


def _drafts(kind: str, count: int, **changes) -> list[Draft]:
    return [
        replace(DRAFT, kind=kind, stem=f"{kind} {n}", units=(f"법 제{n}조",), **changes)
        for n in range(count)
    ]


def _select(drafts, count, weights, **changes):
    wanted = {"most_by_article": 9, "negative_share": 0.0, "numeric_share": 0.0, **changes}
    settings = AugmentSettings(generators=weights, **wanted)
    return select(drafts, count, settings, random.Random(0))


def test_kinds_are_taken_by_weight_and_shortages_go_to_the_others():
    drafts = _drafts("quantity", 100) + _drafts("actor", 100) + _drafts("chain", 3)
    taken = _select(drafts, 100, {"quantity": 2, "actor": 1, "chain": 1})
    counts = Counter(d.kind for d in taken)
    assert counts["chain"] == 3
    assert abs(counts["quantity"] - 2 * counts["actor"]) <= 2
    assert sum(counts.values()) == 100


def test_no_article_is_asked_more_often_than_allowed():
    drafts = [replace(DRAFT, stem=str(n)) for n in range(30)]
    assert len(_select(drafts, 30, {"quantity": 1}, most_by_article=4)) == 4


def test_least_shares_are_kept_by_taking_fewer_of_the_others():
    drafts = _drafts("actor", 100)
    drafts += _drafts("enumeration_not", 10, negative=True)
    drafts += _drafts("quantity", 10, numeric=True)
    weights = {"actor": 1, "enumeration_not": 1, "quantity": 1}
    taken = _select(drafts, 120, weights, negative_share=0.3, numeric_share=0.2)
    assert sum(d.negative for d in taken) >= 0.3 * len(taken)
    assert sum(d.numeric for d in taken) >= 0.2 * len(taken)
