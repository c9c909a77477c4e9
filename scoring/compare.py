"""Two systems on the same items: what changed, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from kofinlaw.scoring.paired import holm, mcnemar_exact, paired_difference, smallest_detectable
from kofinlaw.scoring.result import Pair, Scores, SmallestDifference
from kofinlaw.scoring.settings import ScoreSettings


def smallest_of(pair: Pair, settings: ScoreSettings) -> SmallestDifference:
    """What this pair's items could show, at the discordant share that was seen."""
    share = (pair.only_a + pair.only_b) / pair.n if pair.n else 0.0
    return smallest_detectable(pair.n, alpha=settings.alpha, discordant=share or None)


def compare_all(scored: Sequence[Scores], *, settings: ScoreSettings, seed: int = 0) -> list[Pair]:
    """Every two systems on their common items, in the order given."""
    pairs = [compare_pair(a, b, settings=settings, seed=seed) for a, b in combinations(scored, 2)]
    adjusted = holm([pair.p_value for pair in pairs])
    return [replace(pair, p_holm=p) for pair, p in zip(pairs, adjusted, strict=True)]


def compare_pair(a: Scores, b: Scores, *, settings: ScoreSettings, seed: int = 0) -> Pair:
    """`b` against `a`: discordant items, exact McNemar, paired bootstrap of both halves."""
    one, two = paired_values(a, b, "choice")
    free_one, free_two = paired_values(a, b, "free")
    only_a = sum(x > y for x, y in zip(one, two, strict=True))
    only_b = sum(x < y for x, y in zip(one, two, strict=True))
    both = sum(x == y == 1 for x, y in zip(one, two, strict=True))

    def difference(x: list[float], y: list[float]) -> tuple[float, float, float] | None:
        if not x:
            return None
        return paired_difference(
            x, y, samples=settings.bootstrap_samples, confidence=settings.confidence, seed=seed
        )

    choice = difference(one, two) or (0.0, 0.0, 0.0)
    free = difference(free_one, free_two)
    p_value = mcnemar_exact(only_a, only_b)
    return Pair(
        a=a.system,
        b=b.system,
        n=len(one),
        both=both,
        only_a=only_a,
        only_b=only_b,
        neither=len(one) - both - only_a - only_b,
        difference=choice[0],
        low=choice[1],
        high=choice[2],
        p_value=p_value,
        p_holm=p_value,
        free_n=len(free_one),
        free_difference=free[0] if free else None,
        free_low=free[1] if free else None,
        free_high=free[2] if free else None,
    )


def paired_values(a: Scores, b: Scores, kind: str) -> tuple[list[float], list[float]]:
    """Item scores of one kind for the ids both systems have, in a's order."""
    other = {i.id: i.score for i in b.items if i.kind == kind and i.score is not None}
    pairs = [
        (item.score, other[item.id])
        for item in a.items
        if item.kind == kind and item.score is not None and item.id in other
    ]
    return [x for x, _ in pairs], [y for _, y in pairs]
