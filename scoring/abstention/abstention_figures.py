"""Compute risk–coverage figures of base and trained model under forced evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from kofinlaw.records import Question
from kofinlaw.scoring.abstention.abstention_record import (
    COVERAGES,
    REQUIRED,
    AbstentionRecord,
    AbstentionRow,
    DifferenceRecord,
    Part,
    SystemCurve,
)
from kofinlaw.scoring.metrics.fsku import label_of
from kofinlaw.scoring.metrics.refusals import is_refusal
from kofinlaw.scoring.result import Item
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.risk_coverage import (
    aurc,
    confident_wrong,
    optimal_aurc,
    paired_aurc_difference,
    risk_at,
    risks,
)

__all__ = ["CURVE_POINTS", "abstention_record", "outcome", "system_curve"]

CURVE_POINTS = 60  # of one curve in the record
PARTS: tuple[Part, ...] = ("choice", "free")


def outcome(item: Item, question: Question) -> tuple[float, float] | None:
    """Return (confidence, loss) of one answer; None for free text without a key-fact score.

    The confidence of a refusal, and of a question without an answer, is NaN. A refusal is a free
    answer that says that it cannot answer, or an option that says so and is not the key.
    """
    if item.kind == "choice":
        loss = 1 - (item.score or 0.0)
        label = label_of(item.answer, question.options)
        refused = bool(label) and loss > 0 and is_refusal(question.options[int(label) - 1])
    else:
        if item.facts is None:
            return None
        loss = 1 - item.facts
        refused = is_refusal(item.answer)
    if refused or item.confidence is None or not item.answer.strip():
        return math.nan, 1.0
    return item.confidence, loss


def system_curve(
    confidences: Sequence[float], losses: Sequence[float], threshold: float
) -> SystemCurve:
    """Return the figures of one model; `threshold` is that of a confident answer."""
    n = len(confidences)
    curve = risks(confidences, losses)
    answered = len(curve)
    answered_losses = [
        loss
        for confidence, loss in zip(confidences, losses, strict=True)
        if not math.isnan(confidence)
    ]
    shown = sorted({int(i) for i in np.linspace(0, answered - 1, CURVE_POINTS)}) if answered else []
    return SystemCurve(
        n=n,
        answered=answered,
        refused=n - answered,
        risk=float(curve[-1]) if answered else None,
        aurc=aurc(confidences, losses),
        optimal=optimal_aurc(answered_losses),
        confident_wrong=confident_wrong(confidences, losses, threshold),
        risk_at=[risk_at(curve, n, coverage) for coverage in COVERAGES],
        curve=[(round((i + 1) / n, 4), round(float(curve[i]), 4)) for i in shown],
    )


def abstention_record(
    questions: Mapping[str, Question],
    items: Mapping[str, Mapping[str, Sequence[Item]]],
    *,
    settings: ScoreSettings,
    seed: int,
) -> AbstentionRecord:
    """Return the figures of every kind of evidence, for multiple choice and free text apart.

    Only questions that all models answered are compared.

    Args:
        questions: all questions by id.
        items: scored items by kind of evidence and model (`base`, `trained`).
        settings: intervals and the threshold of a confident answer.
        seed: of the intervals.
    """
    rows: list[AbstentionRow] = []
    for evidence, by_model in items.items():
        outcomes = {
            model: {
                item.id: (item.kind, found)
                for item in scored
                if (found := outcome(item, questions[item.id])) is not None
            }
            for model, scored in by_model.items()
        }
        for part in PARTS:
            ids = [
                name
                for name, (kind, _) in next(iter(outcomes.values()), {}).items()
                if kind == part and all(name in found for found in outcomes.values())
            ]
            if ids:
                pairs = {
                    model: [found[name][1] for name in ids] for model, found in outcomes.items()
                }
                rows.append(_row(evidence, part, pairs, settings, seed))
    return AbstentionRecord(threshold=settings.confident_from, coverages=list(COVERAGES), rows=rows)


def _row(
    evidence: str,
    part: Part,
    pairs: Mapping[str, Sequence[tuple[float, float]]],
    settings: ScoreSettings,
    seed: int,
) -> AbstentionRow:
    columns = {
        model: ([c for c, _ in found], [loss for _, loss in found])
        for model, found in pairs.items()
    }
    systems = {
        model: system_curve(confidences, losses, settings.confident_from)
        for model, (confidences, losses) in columns.items()
    }
    difference: DifferenceRecord | None = None
    meets: bool | None = None
    if "base" in columns and "trained" in columns:
        found = paired_aurc_difference(
            columns["base"],
            columns["trained"],
            samples=settings.bootstrap_samples,
            confidence=settings.confidence,
            seed=seed,
        )
        difference = DifferenceRecord(
            value=found.value,
            low=found.low,
            high=found.high,
            covered=found.covered,
            risk_at=[
                None if before is None or after is None else after - before
                for before, after in zip(
                    systems["base"]["risk_at"], systems["trained"]["risk_at"], strict=True
                )
            ],
        )
        meets = found.value <= 0 if evidence in REQUIRED else None
    return AbstentionRow(
        evidence=evidence, part=part, systems=systems, difference=difference, meets=meets
    )
