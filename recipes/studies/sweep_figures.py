"""Compute the figures of a sweep's points: losses, costs, Pareto marks, the point for each goal."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.files import read_json_lines
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.studies.sweep import Failure, Point

__all__ = [
    "SMOOTHED_SHARE",
    "PointFigures",
    "as_record",
    "compared",
    "conclusion",
    "read_point",
    "short_keys",
    "smoothed",
]

SMOOTHED_SHARE = 10  # losses are smoothed over 1/10 of the steps


@dataclass(frozen=True)
class PointFigures:
    """One finished point.

    Losses are in nats per token, `seconds` is the training time, memory is in GiB over the steps.
    `final_loss` is the loss on held-out examples if the recipe holds examples out, else the mean
    training loss of the last tenth of the steps. `losses` is the training loss smoothed over a
    tenth of the steps; `evaluations` has the step and the loss of each evaluation.
    `steps_to_level` counts the steps to the loss that every point of the sweep reached.
    """

    keys: dict[str, str]
    steps: int
    losses: list[float]
    evaluations: list[tuple[int, float]]
    final_loss: float
    held_out: bool
    seconds: float
    memory_mean: float
    memory_sd: float
    memory_min: float
    memory_max: float
    trained_parameters: int | None
    accuracy: float | None
    steps_to_level: int | None = None
    pareto: bool = False

    @property
    def curve(self) -> list[tuple[int, float]]:
        """Steps and losses of the curve whose last loss is `final_loss`.

        This is the held-out loss if there is one. All points see the same batches in the same
        order, so one easy batch would bring all their training losses below a level at the same
        step.
        """
        return self.evaluations or list(enumerate(self.losses, 1))


def read_point(point: Point, folder: Path) -> PointFigures:
    """Return the figures of a finished point, from the records of its stages.

    Raises UserError if the point has no complete training.
    """
    record = read_record(folder / "train")
    path = folder / "train" / "metrics.jsonl"
    rows = [row for _, row in read_json_lines(path)] if path.is_file() else []
    rows = [row for row in rows if row.get("loss") is not None]
    if not rows or record.get("status") != "complete":
        raise UserError(
            "the point has no complete training",
            where=str(folder),
            remedy="run the sweep again; it continues where it stopped",
        )
    losses = smoothed([float(row["loss"]) for row in rows])
    evaluations = [
        (int(row["step"]), float(row["evaluation_loss"]))
        for row in rows
        if row.get("evaluation_loss") is not None
    ]
    memory = [float(row["memory_gib"]) for row in rows if row.get("memory_gib") is not None]
    counts = record.get("counts", {})
    seconds = counts.get("train_seconds", record.get("seconds", 0.0))
    parameters = counts.get("trainable_parameters")
    return PointFigures(
        keys=dict(point),
        steps=len(rows),
        losses=losses,
        evaluations=evaluations,
        final_loss=evaluations[-1][1] if evaluations else losses[-1],
        held_out=bool(evaluations),
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        memory_mean=statistics.mean(memory) if memory else 0.0,
        memory_sd=statistics.pstdev(memory) if memory else 0.0,
        memory_min=min(memory, default=0.0),
        memory_max=max(memory, default=0.0),
        trained_parameters=parameters if isinstance(parameters, int) else None,
        accuracy=_accuracy(folder),
    )


def _accuracy(folder: Path) -> float | None:
    try:
        scores = load_json((folder / "score" / "scores.json").read_text(encoding="utf-8"))
        systems = scores["systems"]
        name = next(name for name in ("trained-rag", "trained") if name in systems)
        return float(systems[name]["choice"]["value"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None


def smoothed(losses: Sequence[float]) -> list[float]:
    """Return the mean of each loss and the losses before it,
    over a window of a tenth of all steps.
    """
    width = max(1, len(losses) // SMOOTHED_SHARE)
    return [
        statistics.fmean(losses[max(0, step + 1 - width) : step + 1]) for step in range(len(losses))
    ]


def compared(points: Sequence[PointFigures]) -> tuple[list[PointFigures], float]:
    """Return the points with Pareto marks and steps to the common loss level, and that level.

    The level is the highest final loss of the points, so every point reaches it.
    """
    level = max(point.curve[-1][1] for point in points)
    costs = [(p.final_loss, p.seconds, p.memory_mean) for p in points]
    marked = []
    for point, cost in zip(points, costs, strict=True):
        beaten = any(
            other != cost and all(a <= b for a, b in zip(other, cost, strict=True))
            for other in costs
        )
        reached = next(step for step, loss in point.curve if loss <= level)
        marked.append(replace(point, pareto=not beaten, steps_to_level=reached))
    return marked, level


def conclusion(points: Sequence[PointFigures]) -> dict[str, PointFigures]:
    """Return the best point for each goal: `best_loss`, `best_value`, `least_memory`
    (decision 004).
    """
    losses = _scaled([p.final_loss for p in points])
    times = _scaled([p.seconds for p in points])
    distance = [loss**2 + time**2 for loss, time in zip(losses, times, strict=True)]
    return {
        "best_loss": min(points, key=lambda p: p.final_loss),
        "best_value": points[min(range(len(points)), key=lambda i: distance[i])],
        "least_memory": min(points, key=lambda p: p.memory_mean),
    }


def _scaled(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]


def as_record(
    points: Sequence[PointFigures], level: float, failures: Sequence[Failure]
) -> dict[str, object]:
    """Return the sweep as one JSON object (`sweep.json`)."""
    chosen = conclusion(points) if points else {}
    return {
        "loss_level": level,
        "points": [asdict(point) for point in points],
        "conclusion": {goal: point.keys for goal, point in chosen.items()},
        "failed": [{"keys": dict(f.point), "reason": f.reason} for f in failures],
    }


def short_keys(keys: Mapping[str, str]) -> str:
    """Return the last part of each key with its value: `rank 8, alpha 32`."""
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in keys.items())
