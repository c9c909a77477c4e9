"""Which of the possible questions are taken: by kind, article and the shares asked for."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from kofinlaw.augment.generators.drafts import Draft

NEGATIVE = frozenset(
    ["enumeration_not", "penalty_not", "statement_false", "not_of_article", "definition_mismatch"]
)
NUMERIC = frozenset(["quantity", "penalty"])


def select(
    drafts: Sequence[Draft],
    count: int,
    weights: Mapping[str, float],
    *,
    most_by_article: int,
    negative_share: float,
    numeric_share: float,
    rng: random.Random,
    prefer: Callable[[Draft], float] | None = None,
) -> list[Draft]:
    """At most `count` drafts whose kinds stand by weight; shortages go to the other kinds.

    The least shares of negative and numeric items are kept by taking fewer of the others, so the
    result may be shorter than `count`. `prefer` orders the drafts of a kind, the least first.
    """
    pools: dict[str, list[Draft]] = {}
    for draft in drafts:
        if weights.get(draft.kind, 0) > 0:
            pools.setdefault(draft.kind, []).append(draft)
    for kind in sorted(pools):
        rng.shuffle(pools[kind])
        if prefer is not None:
            pools[kind].sort(key=prefer)
    taken = _take(pools, count, weights, most_by_article)
    taken = _keep_share(taken, NEGATIVE, negative_share)
    taken = _keep_share(taken, NUMERIC, numeric_share)
    rng.shuffle(taken)
    return taken


def _take(
    pools: Mapping[str, list[Draft]], count: int, weights: Mapping[str, float], most: int
) -> list[Draft]:
    """Draw from the kind that is furthest behind its weight until enough or nothing is left."""
    left = {kind: list(reversed(pool)) for kind, pool in pools.items()}
    got: Counter[str] = Counter()
    by_article: Counter[str] = Counter()
    out: list[Draft] = []
    while len(out) < count and left:
        kind = min(left, key=lambda k: ((got[k] + 1) / weights[k], k))
        draft = None
        while left[kind] and draft is None:
            candidate = left[kind].pop()
            if by_article[candidate.units[0]] < most:
                draft = candidate
        if draft is None:
            del left[kind]
            continue
        got[kind] += 1
        by_article[draft.units[0]] += 1
        out.append(draft)
    return out


def _keep_share(drafts: list[Draft], kinds: frozenset[str], share: float) -> list[Draft]:
    """Drop the last of the other drafts until those of `kinds` make up `share`.

    Nothing is dropped where there are none of `kinds` at all: the share cannot be reached.
    """
    wanted = sum(d.kind in kinds for d in drafts)
    if not wanted or share <= 0:
        return drafts
    spare = int(wanted / share) - wanted
    out = []
    for draft in drafts:
        if draft.kind not in kinds:
            if spare <= 0:
                continue
            spare -= 1
        out.append(draft)
    return out
