"""Compute figures from a judge's verdicts, and count its unreadable verdicts with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypedDict

from kofinlaw.scoring.result import figure_record
from kofinlaw.scoring.scores_record import ControlRecord, JudgedRecord, JudgePairRecord
from kofinlaw.scoring.stats.intervals import mean_figure
from kofinlaw.scoring.stats.paired import mcnemar_exact

__all__ = [
    "CONFIDENCE",
    "CONTROL",
    "SAMPLES",
    "Comparison",
    "JudgeFigures",
    "Verdict",
    "by_chance",
    "control_figures",
    "judge_figures",
    "pair_figures",
    "system_figures",
]

SAMPLES, CONFIDENCE = 2000, 0.95
CONTROL = "control:"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict on one answer: `score` in 0..1, None if the judge's text was unreadable."""

    system: str
    id: str
    criterion: str
    repeat: int
    score: float | None


class JudgeFigures(TypedDict):
    """Figures by criterion and system, controls by criterion, and pairs of systems."""

    criteria: dict[str, dict[str, JudgedRecord]]
    controls: dict[str, ControlRecord]
    pairs: list[JudgePairRecord]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One verdict on two answers.

    `winner` is "1" for `first`, "2" for `second`, another text for no difference, and None if the
    verdict was unreadable.
    """

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
) -> JudgeFigures:
    """Return the figures of all verdicts and comparisons as JSON."""
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
        name: control_figures(by_system)
        for name, by_system in groups.items()
        if any(system.startswith(CONTROL) for system in by_system)
    }
    return {
        "criteria": criteria,
        "controls": controls,
        "pairs": [
            pair_figures(a, b, comparisons) for a, b in combinations(systems, 2) if comparisons
        ],
    }


def system_figures(verdicts: Iterable[Verdict], seed: int) -> JudgedRecord:
    """Return the figures of one system by one criterion.

    - `figure`: mean over the `judged` items, those with a readable verdict (None without any);
    - `worst`, `best`: mean over all items if every unreadable verdict were 0, or 1;
    - `agreement`: share of items whose repeats are all equal, of the items with two or more
      readable repeats; `by_chance`: what random repeats with the same shares would reach.
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
        "figure": figure_record(figure) if figure else None,
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
    """Return the expected share of items with equal repeats if verdicts were drawn at random."""
    if not repeated:
        return None
    pool = [score for scores in repeated for score in scores]
    shares = [pool.count(score) / len(pool) for score in set(pool)]
    return sum(sum(p ** len(scores) for p in shares) for scores in repeated) / len(repeated)


def control_figures(by_system: dict[str, list[Verdict]]) -> ControlRecord:
    """Return how well the judge distinguishes references from references of other questions.

    `auc` is the probability that a reference is judged better than another question's reference
    (`stranger`); ties count half. At 0.5 the judge cannot distinguish them, at 1 it always can.
    None if either has no readable verdict.
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


def pair_figures(a: str, b: str, comparisons: Sequence[Comparison]) -> JudgePairRecord:
    """Compare two systems over items. A system wins an item only if both orders name it.

    `unstable` items have different winners in the two orders; `unreadable` ones lack a verdict in
    at least one order. `p_value` is the exact sign test of the wins.
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
    return {
        "a": a,
        "b": b,
        "items": len(by_item),
        "wins_a": counts["wins_a"],
        "wins_b": counts["wins_b"],
        "same": counts["same"],
        "unstable": counts["unstable"],
        "unreadable": counts["unreadable"],
        "p_value": p_value,
    }
