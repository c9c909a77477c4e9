"""Define the types of the figures that a report shows, which are also those of `report.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from kofinlaw.scoring.exams.exam_record import ExamsRecord
from kofinlaw.scoring.scores_record import EnvironmentRecord, PairRecord, ScoresRecord

__all__ = [
    "AugmentFigures",
    "ExampleSample",
    "LatencyFigures",
    "LossPoint",
    "MergeCheck",
    "MergeFigures",
    "MergeText",
    "MessageSample",
    "RejectedSample",
    "ReportFigures",
    "ReportWarning",
    "StageRow",
    "TrainingFigures",
    "Verdict",
]


class StageRow(TypedDict):
    """A stage with the main values of its `stage.json`."""

    stage: str
    status: str | None
    seconds: float | None
    peak_memory_gib: float | None
    fingerprint: str | None
    counts: dict[str, object] | None


class LossPoint(TypedDict):
    """Loss and evaluation loss (nats per token) at a step, and the shares of right items.

    The two accuracies are None for a step without items to choose from.
    """

    step: int
    loss: float | None
    eval_loss: float | None
    accuracy: float | None
    eval_accuracy: float | None


class TrainingFigures(TypedDict):
    """Loss curve, lengths and counts of the training stage."""

    points: list[LossPoint]
    lengths: dict[str, object] | None
    counts: dict[str, object]
    max_length: int | None
    first_example: str


class MessageSample(TypedDict):
    """A message of a sample, cut to a readable length."""

    role: str
    content: str


class ExampleSample(TypedDict):
    """A training example as the report shows it."""

    id: object
    task: object
    generator: object
    chunks: list[str]
    messages: list[MessageSample]


class RejectedSample(TypedDict):
    """A rejected example as the report shows it."""

    reason: object
    detail: object
    record: str


class AugmentFigures(TypedDict):
    """Kept and rejected examples with samples, and the funnel from documents to examples."""

    kept: int
    rejected: int
    generators: dict[str, int]
    tasks: dict[str, int]
    reasons: dict[str, int]
    samples: list[ExampleSample]
    funnel: list[tuple[str, int]]
    rejected_samples: list[RejectedSample]
    card: dict[str, object] | None


class LatencyFigures(TypedDict):
    """Times of the answers by system: `curves` are cumulative seconds by question."""

    curves: dict[str, list[float]]
    changes: dict[str, list[int]]
    parts: dict[str, dict[str, float]]
    budget_seconds: float | None
    counts: dict[str, dict[str, object]]


class MergeCheck(TypedDict, total=False):
    """A check of the merge proof."""

    name: str
    value: object
    bound: object
    ok: bool


class MergeText(TypedDict, total=False):
    """The same prompt continued by base + adapter and by the merged model."""

    trained: str
    merged: str
    same: bool


class MergeFigures(TypedDict, total=False):
    """The part of `verify.json` that the report uses."""

    verdict: str
    failed: list[str]
    checks: list[MergeCheck]
    merged_base: str
    compared_with: str
    figures: dict[str, object]
    weights: dict[str, object]
    greedy: list[MergeText]


class ReportWarning(TypedDict):
    """A warning in both languages."""

    ko: str
    en: str


class Verdict(TypedDict):
    """The summary at the top of the report, as lines in both languages, and the warnings.

    `outcome` is helped, no-claim (above the base, but not above the strongest trivial baseline),
    hurt, unclear, none (no difference), unequal (asked under different plans, so not tested) or
    unknown (not compared).
    """

    outcome: str
    pair: PairRecord | None
    ko: list[str]
    en: list[str]
    warnings: list[ReportWarning]


class ReportFigures(TypedDict):
    """Every figure of a report; stages that a run does not have are None."""

    schema: str
    name: str
    description: str
    missing: list[str]
    stages: list[StageRow]
    scores: ScoresRecord | None
    exams: ExamsRecord | None
    training: TrainingFigures | None
    augment: AugmentFigures | None
    documents: dict[str, object] | None
    floor: Mapping[str, object] | None
    latency: LatencyFigures | None
    merge: MergeFigures | None
    compliance: dict[str, object] | None
    recipe: Mapping[str, object]
    environment: EnvironmentRecord
    verdict: Verdict
