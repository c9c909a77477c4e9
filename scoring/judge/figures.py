"""From a judge's verdicts to figures, with what the judge could not say counted beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kofinlaw.records import to_json
from kofinlaw.scoring.stats.intervals import mean_figure
from kofinlaw.scoring.stats.paired import mcnemar_exact

SAMPLES, CONFIDENCE = 2000, 0.95
CONTROL = "control:"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict on one answer: `score` in 0..1, None where the judge's words were unreadable."""

    system: str
    id: str
    criterion: str
    repeat: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One verdict on two answers: `winner` is "1" (`first`), "2" (`second`), another text for
    no difference, None where it was unreadable."""

    first: str
    second: str
    id: str
    winner: str | None


def judge_figures(
    verdicts: Sequence[Verdict],
    comparisons: Sequence[Comparison],
    *,
    systems: Sequence[str],
    seed: int = 0,
) -> dict[str, Any]:
    """{"criteria": {criterion: {system: figures}}, "controls": …, "pairs": […]} as JSON values."""
    groups: dict[str, dict[str, list[Verdict]]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.criterion, {}).setdefault(verdict.system, []).append(verdict)
    criteria = {
        name: {
            system: system_figures(found, seed)
            for system, found in by_system.items()
            if not system.startswith(CONTROL)
        }
        for name, by_system in groups.items()
    }
    controls = {
        name: told_apart(by_system)
        for name, by_system in groups.items()
        if any(system.startswith(CONTROL) for system in by_system)
    }
    return {
        "criteria": criteria,
        "controls": controls,
        "pairs": [
            pair_figures(a, b, comparisons)
            for at, a in enumerate(systems)
            for b in systems[at + 1 :]
            if comparisons
        ],
    }


def system_figures(verdicts: Iterable[Verdict], seed: int) -> dict[str, Any]:
    """One system by one criterion.

    `figure` is the mean over the `judged` items that have a readable verdict (None without any);
    `worst` and `best` are the mean over all items if every unreadable verdict were 0, or 1.
    `agreement` is the share of items whose repeats all say the same, of those with two or more
    readable ones; `by_chance` what random repeats with the same shares would reach.
    """
    by_item: dict[str, list[float | None]] = defaultdict(list)
    for verdict in verdicts:
        by_item[verdict.id].append(verdict.score)
    everything = [score for scores in by_item.values() for score in scores]
    readable = [[s for s in scores if s is not None] for scores in by_item.values()]
    means = [sum(scores) / len(scores) for scores in readable if scores]
    figure = mean_figure(means, samples=SAMPLES, confidence=CONFIDENCE, seed=seed)
    unreadable = sum(score is None for score in everything)
    filled = [
        [sum(fill if s is None else s for s in row) / len(row) for row in by_item.values()]
        for fill in (0.0, 1.0)
    ]
    repeated = [scores for scores in readable if len(scores) > 1]
    return {
        "figure": to_json(figure) if figure else None,
        "items": len(by_item),
        "judged": len(means),
        "verdicts": len(everything),
        "unreadable": unreadable,
        "unreadable_share": unreadable / len(everything),
        "worst": sum(filled[0]) / len(by_item),
        "best": sum(filled[1]) / len(by_item),
        "agreement": sum(len(set(s)) == 1 for s in repeated) / len(repeated) if repeated else None,
        "by_chance": by_chance(repeated),
    }


def by_chance(repeated: Sequence[Sequence[float]]) -> float | None:
    """Expected share of items with equal repeats if each verdict were drawn from all of them."""
    if not repeated:
        return None
    pool = [score for scores in repeated for score in scores]
    shares = [pool.count(score) / len(pool) for score in set(pool)]
    return sum(sum(p ** len(scores) for p in shares) for scores in repeated) / len(repeated)


def told_apart(by_system: dict[str, list[Verdict]]) -> dict[str, Any]:
    """Whether the judge knows a reference from another question's reference.

    `auc` is the chance that a reference is judged better than a stranger (ties half): 0.5 is a
    judge that cannot tell, 1 one that always can; None where either has no readable verdict.
    """
    good, bad = (
        [v.score for v in by_system.get(f"{CONTROL}{name}", []) if v.score is not None]
        for name in ("reference", "stranger")
    )
    auc = None
    if good and bad:
        wins = sum((g > b) + 0.5 * (g == b) for g in good for b in bad)
        auc = wins / (len(good) * len(bad))
    return {
        "reference": sum(good) / len(good) if good else None,
        "stranger": sum(bad) / len(bad) if bad else None,
        "auc": auc,
        "n": len(good) + len(bad),
    }


def pair_figures(a: str, b: str, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """`a` against `b` over items: a side wins only where both orders name it.

    `unstable` items are judged by their place, not their words; `unreadable` ones have no verdict
    in at least one order. `p_value` is the exact sign test of the wins.
    """
    by_item: dict[str, list[str | None]] = defaultdict(list)
    for one in comparisons:
        if {one.first, one.second} != {a, b}:
            continue
        if one.winner is None:
            by_item[one.id].append(None)
        elif one.winner in ("1", "2"):
            by_item[one.id].append(one.first if one.winner == "1" else one.second)
        else:
            by_item[one.id].append("")
    counts = {"wins_a": 0, "wins_b": 0, "same": 0, "unstable": 0, "unreadable": 0}
    for found in by_item.values():
        if None in found:
            counts["unreadable"] += 1
        elif len(set(found)) > 1:
            counts["unstable"] += 1
        else:
            counts[{a: "wins_a", b: "wins_b", "": "same"}[str(found[0])]] += 1
    p_value = mcnemar_exact(counts["wins_a"], counts["wins_b"])
    return {"a": a, "b": b, "items": len(by_item), **counts, "p_value": p_value}
