"""Select drafts by the weight of their kind, the limit for an article and the least shares."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.settings import AugmentSettings

__all__ = ["pools_by_kind", "select", "take_by_weight"]


def select(
    drafts: Sequence[Draft],
    count: int,
    settings: AugmentSettings,
    rng: random.Random,
    prefer: Callable[[Draft], float] | None = None,
) -> list[Draft]:
    """Return at most `count` drafts, their kinds by weight. Other kinds fill up what one kind
    lacks.

    Fewer of the other drafts are taken where that is needed for the least shares of negative and
    numeric ones, so the result may be shorter than `count`. `prefer` orders the drafts of a kind,
    the smallest value first.
    """
    weights = settings.generators
    pools = pools_by_kind(drafts, weights)
    for kind in sorted(pools):
        rng.shuffle(pools[kind])
        if prefer is not None:
            pools[kind].sort(key=prefer)
    taken = take_by_weight(pools, count, weights, settings.most_by_article)
    taken = _keep_share(taken, lambda draft: draft.negative, settings.negative_share)
    taken = _keep_share(taken, lambda draft: draft.numeric, settings.numeric_share)
    rng.shuffle(taken)
    return taken


def pools_by_kind(drafts: Sequence[Draft], weights: Mapping[str, float]) -> dict[str, list[Draft]]:
    """Return the drafts by kind, without kinds of weight 0."""
    pools: dict[str, list[Draft]] = {}
    for draft in drafts:
        if weights.get(draft.kind, 0) > 0:
            pools.setdefault(draft.kind, []).append(draft)
    return pools


def take_by_weight(
    pools: Mapping[str, list[Draft]],
    count: int,
    weights: Mapping[str, float],
    most_by_article: int,
) -> list[Draft]:
    """Draw from the kind that is furthest below its weight, until enough or none are left."""
    left = {kind: list(reversed(pool)) for kind, pool in pools.items()}
    taken_by_kind: Counter[str] = Counter()
    taken_by_article: Counter[str] = Counter()
    out: list[Draft] = []
    while len(out) < count and left:
        kind = min(left, key=lambda k: ((taken_by_kind[k] + 1) / weights[k], k))
        draft = None
        while left[kind] and draft is None:
            candidate = left[kind].pop()
            if taken_by_article[candidate.units[0]] < most_by_article:
                draft = candidate
        if draft is None:
            del left[kind]
            continue
        taken_by_kind[kind] += 1
        taken_by_article[draft.units[0]] += 1
        out.append(draft)
    return out


def _keep_share(drafts: list[Draft], wanted: Callable[[Draft], bool], share: float) -> list[Draft]:
    """Drop the last of the other drafts until the wanted ones have their share (0 to 1).

    Nothing is dropped where no draft is wanted at all: the share cannot be reached.
    """
    number = sum(wanted(draft) for draft in drafts)
    if not number or share <= 0:
        return drafts
    spare = int(number / share) - number
    out = []
    for draft in drafts:
        if not wanted(draft):
            if spare <= 0:
                continue
            spare -= 1
        out.append(draft)
    return out
