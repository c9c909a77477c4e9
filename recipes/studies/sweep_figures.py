"""What came out of a sweep's points: figures, Pareto marks, and a conclusion by goal."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.recipes.pipeline.runner import read_record
from kofinlaw.recipes.studies.sweep import Failure, Point

TENTH = 10


@dataclass(frozen=True)
class PointFigures:
    """One finished point. Losses in nats a token, times in seconds, memory in GiB over the steps.

    `final_loss` is the held-out loss where the recipe holds examples out, else the mean training
    loss of the last tenth of the steps; `losses` is the training loss smoothed over a tenth,
    `evaluations` the step and the held-out loss of each evaluation. `steps_to_level` counts the
    steps to the level that every point of the sweep reached.
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
        """Step and loss of what `final_loss` is the end of.

        Of the held-out loss where there is any: points see the same batches in the same order, so
        an easy batch would bring all of them under a level at the same step.
        """
        return self.evaluations or list(enumerate(self.losses, 1))


def read_point(point: Point, folder: Path) -> PointFigures:
    """The figures of a finished point, from its stages' records.

    Raises UserError where the point has no training figures.
    """
    record = read_record(folder / "train")
    path = folder / "train" / "metrics.jsonl"
    rows = [row for _, row in read_json_lines(path)] if path.is_file() else []
    rows = [row for row in rows if row.get("loss") is not None]
    if not rows or record.get("status") != "complete":
        raise UserError(
            "the point has no finished training",
            where=str(folder),
            remedy="run the sweep again; it goes on where it stopped",
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
        memory_mean=statistics.fmean(memory) if memory else 0.0,
        memory_sd=statistics.pstdev(memory) if memory else 0.0,
        memory_min=min(memory, default=0.0),
        memory_max=max(memory, default=0.0),
        trained_parameters=parameters if isinstance(parameters, int) else None,
        accuracy=_accuracy(folder),
    )


def _accuracy(folder: Path) -> float | None:
    try:
        scores = json.loads((folder / "score" / "scores.json").read_text(encoding="utf-8"))
        systems = scores["systems"]
        name = next(name for name in ("trained-rag", "trained") if name in systems)
        return float(systems[name]["choice"]["value"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None


def smoothed(losses: Sequence[float]) -> list[float]:
    """The mean of each loss and those before it, over a window of a tenth of all steps."""
    width = max(1, len(losses) // TENTH)
    return [
        statistics.fmean(losses[max(0, place + 1 - width) : place + 1])
        for place in range(len(losses))
    ]


def compared(points: Sequence[PointFigures]) -> tuple[list[PointFigures], float]:
    """The points with Pareto marks and steps to the common level, and that level.

    The level is the highest of the points' final losses: all of them reach it.
    """
    level = max(point.curve[-1][1] for point in points)
    costs = [(p.final_loss, p.seconds, p.memory_mean) for p in points]
    out = []
    for point, cost in zip(points, costs, strict=True):
        beaten = any(
            other != cost and all(a <= b for a, b in zip(other, cost, strict=True))
            for other in costs
        )
        reached = next(step for step, loss in point.curve if loss <= level)
        out.append(
            PointFigures(**{**asdict(point), "pareto": not beaten, "steps_to_level": reached})
        )
    return out, level


def conclusion(points: Sequence[PointFigures]) -> dict[str, PointFigures]:
    """The point for each goal: `best_loss`, `best_value`, `least_memory` (see decision 004)."""
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
) -> dict[str, Any]:
    """The sweep as one JSON object (`sweep.json`)."""
    chosen = conclusion(points) if points else {}
    return {
        "loss_level": level,
        "points": [asdict(point) for point in points],
        "conclusion": {goal: point.keys for goal, point in chosen.items()},
        "failed": [{"keys": dict(f.point), "reason": f.reason} for f in failures],
    }


def short_keys(keys: Mapping[str, str]) -> str:
    """`rank 8, alpha 32`: the last word of each key with its value."""
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in keys.items())
