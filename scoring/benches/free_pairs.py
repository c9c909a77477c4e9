"""Compare systems on the same free-text questions: the contest's score and key facts, paired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.paired import paired_difference, sign_flip_p

__all__ = ["FreePair", "free_pairs"]

# The scores of an item of free text: their name on the page by their field in `items.jsonl`.
_SCORES = {"score": "free", "facts": "facts"}


class FreePair(TypedDict):
    """`b` minus `a` in one score (`free` or `facts`) over `n` questions that both have it.

    `difference` is in -1..1 with its paired bootstrap interval, `p_value` that of a sign-flip test.
    """

    a: str
    b: str
    score: str
    n: int
    difference: float
    low: float
    high: float
    p_value: float


def free_pairs(
    items: Iterable[Mapping[str, object]],
    pairs: Sequence[tuple[str, str]],
    settings: ScoreSettings,
    seed: int = 0,
) -> list[FreePair]:
    """Return the comparisons of pairs of systems; a score that no question has is left out.

    Args:
        items: Rows of `items.jsonl`: system, id, kind, score and facts.
        pairs: The systems to compare.
        settings: Level and samples of the intervals.
        seed: Of the bootstrap.
    """
    values: dict[tuple[str, str], dict[str, float]] = {}
    for item in items:
        if item["kind"] != "free":
            continue
        for field, name in _SCORES.items():
            value = item.get(field)
            if isinstance(value, (int, float)):
                values.setdefault((str(item["system"]), name), {})[str(item["id"])] = float(value)
    out: list[FreePair] = []
    for name in _SCORES.values():
        for a, b in pairs:
            first, second = values.get((a, name), {}), values.get((b, name), {})
            ids = [one for one in first if one in second]
            if not ids:
                continue
            before, after = [first[i] for i in ids], [second[i] for i in ids]
            difference, low, high = paired_difference(
                before,
                after,
                samples=settings.bootstrap_samples,
                confidence=settings.confidence,
                seed=seed,
            )
            changes = [y - x for x, y in zip(before, after, strict=True)]
            out.append(
                {
                    "a": a,
                    "b": b,
                    "score": name,
                    "n": len(ids),
                    "difference": difference,
                    "low": low,
                    "high": high,
                    "p_value": sign_flip_p(changes, seed=seed),
                }
            )
    return out
