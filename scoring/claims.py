"""Decide what a scoring may claim: the best trivial baseline, the gain by training, the plans."""

from __future__ import annotations

from collections.abc import Mapping

from kofinlaw.rag.answer.deadline import FULL
from kofinlaw.scoring.scores_record import (
    AgainstRecord,
    PairRecord,
    ScoresRecord,
    SystemRecord,
)

__all__ = [
    "PLAN_TOLERANCE",
    "beats",
    "best_baseline",
    "main_system",
    "outcome_of",
    "pairs_with_other_plans",
    "reduced_plans",
    "training_pair",
    "unequal_plans",
    "without_shown_text",
]

PLAN_TOLERANCE = 0.01  # share of answers or items whose plan may be another one


def main_system(scores: ScoresRecord) -> str | None:
    """Return the system that the report is about: the last trained one, else the last one."""
    names = list(scores["systems"])
    trained = [name for name in names if name.startswith("trained")]
    return trained[-1] if trained else names[-1] if names else None


def training_pair(scores: ScoresRecord) -> PairRecord | None:
    """Return the pair that differs only in training: with retrieval, else without; or None."""
    pairs = {(pair["a"], pair["b"]): pair for pair in scores["pairs"]}
    return pairs.get(("base-rag", "trained-rag")) or pairs.get(("base", "trained"))


def best_baseline(scores: ScoresRecord, system: str) -> AgainstRecord | None:
    """Return the comparison of a system with the strongest baseline of multiple choice, or None.

    The baselines are those that read no evidence and those that read the texts that this system
    was shown. The strongest one has the highest score, ties shared.
    """
    found = [one for one in scores["against"] if one["system"] == system and one["n"]]
    values = scores["baselines"]
    return max(found, key=lambda one: values[one["baseline"]]["value"], default=None)


def beats(against: AgainstRecord, alpha: float) -> bool:
    """Return whether the system is better than the baseline by the exact McNemar test."""
    more = against["only_system"] > against["only_baseline"]
    return more and against["difference"] > 0 and against["p_value"] < alpha


def outcome_of(pair: PairRecord | None, alpha: float, best: AgainstRecord | None = None) -> str:
    """Return the outcome of training (see `report_record.Verdict`).

    Args:
        pair: the base and the trained model on the same items.
        alpha: the significance level of both tests.
        best: the trained model and the best trivial baseline. A gain over the base is `helped`
            only if the trained model beats it too; otherwise it is `no-claim`.
    """
    if pair is None or not pair["n"]:
        return "unknown"
    if unequal_plans(pair):
        return "unequal"
    if pair["only_a"] == pair["only_b"]:
        return "none"
    if pair["p_value"] >= alpha:
        return "unclear"
    if pair["difference"] <= 0:
        return "hurt"
    return "helped" if best is None or beats(best, alpha) else "no-claim"


def reduced_plans(system: SystemRecord) -> Mapping[str, int]:
    """Return the number of answers by plan other than `full`.

    The result is empty if they are at most 1 % of the answers whose plan is recorded.
    """
    reduced = {plan: n for plan, n in system["plans"].items() if plan != FULL.name}
    few = sum(reduced.values()) <= PLAN_TOLERANCE * sum(system["plans"].values())
    return {} if few else reduced


def pairs_with_other_plans(scores: ScoresRecord) -> list[PairRecord]:
    """Return the pairs that answered some items under different plans."""
    return [pair for pair in scores["pairs"] if pair["other_plans"]]


def unequal_plans(pair: PairRecord) -> bool:
    """Return whether more than 1 % of a pair's items were asked under different plans.

    A paired test would then compare the plans, not the systems, so its result is not shown.
    """
    other = pair.get("other_plans") or 0
    return bool(other) and other > PLAN_TOLERANCE * (pair["n"] + (pair.get("free_n") or 0))


def without_shown_text(scores: ScoresRecord) -> list[str]:
    """Return the systems whose prompts are not recorded, so that baselines read whole passages."""
    names = [
        name
        for solver in scores["solvers"].values()
        if solver["basis"] == "passages"
        for name in solver["systems"]
    ]
    return list(dict.fromkeys(names))
