"""Record the figures of each step in metrics.jsonl, TensorBoard, Weights & Biases and MLflow.

The trackers write into the run's own folder and never call out: wandb runs in its offline mode,
MLflow uses a database file.

`accelerate.tracking` is not used: the records would change and no code would be saved. Its MLflow
tracker drops parameters with long values, where this module shortens them, and writes to the
configured server. The offline modes, MLflow's database and telemetry, the step of a resume and the
message that names the missing extra would still have to be set here for each tracker.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from kofinlaw import UserError
from kofinlaw.files import JsonlAppender


@dataclass(frozen=True)
class Tracker:
    """`log(step, figures)` writes the numbers of a step, `close()` ends the record."""

    log: Callable[[int, Mapping[str, float]], None]
    close: Callable[[], None]


@dataclass(frozen=True)
class MetricsLog:
    """Where the figures of each step go; `file` is None in processes that write nothing."""

    file: JsonlAppender | None
    trackers: Sequence[Tracker]

    def record(self, step: int, line: Mapping[str, float | None]) -> None:
        """Append the line of `step`; trackers get its numbers."""
        if self.file is not None:
            self.file.append(line)
        for tracker in self.trackers:
            tracker.log(step, _numbers(line))

    def sync(self) -> None:
        """Force `metrics.jsonl` to the disk."""
        if self.file is not None:
            self.file.sync()

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(self, *exception: object) -> None:
        for tracker in self.trackers:
            tracker.close()
        if self.file is not None:
            self.file.close()


# Environment variables that keep the trackers offline; they are read on import.
_OFFLINE = {"wandb": {"WANDB_MODE": "offline"}, "mlflow": {"MLFLOW_DISABLE_TELEMETRY": "true"}}


def open_metrics(
    out: Path,
    names: Sequence[str],
    *,
    writes: bool,
    settings: Mapping[str, object],
    resumed_at: int,
) -> MetricsLog:
    """Open `metrics.jsonl` and the trackers called `names` below `out`, if this process `writes`.

    The other arguments and the errors are those of `open_trackers`.
    """
    if not writes:
        return MetricsLog(None, ())
    file = JsonlAppender(out / "metrics.jsonl")
    return MetricsLog(file, open_trackers(names, out, settings=settings, resumed_at=resumed_at))


def require_trackers(names: Sequence[str]) -> None:
    """Import the trackers called `names`; raises UserError if one is not installed."""
    for name in names:
        _import(name, name)


def open_trackers(
    names: Sequence[str], out: Path, *, settings: Mapping[str, object], resumed_at: int
) -> list[Tracker]:
    """Open the trackers called `names` below `out`; steps after `resumed_at` are written again.

    Raises UserError if one is not installed.
    """
    return [_OPEN[name](out, settings, resumed_at) for name in names]


def _numbers(line: Mapping[str, float | None]) -> dict[str, float]:
    """Return the figures of a line of `metrics.jsonl` that can be drawn."""
    return {
        key: float(value)
        for key, value in line.items()
        if key != "step" and isinstance(value, int | float)
    }


def _import(module: str, name: str) -> ModuleType:
    os.environ.update(_OFFLINE.get(name, {}))
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"{name} is not installed",
            where="train.report_to",
            remedy="pip install 'kofinlaw[track]', or remove it from train.report_to",
        ) from error


def _tensorboard(out: Path, settings: Mapping[str, object], resumed_at: int) -> Tracker:
    _import("tensorboard", "tensorboard")
    writer = _import("torch.utils.tensorboard", "tensorboard").SummaryWriter(
        str(out / "tensorboard"), purge_step=resumed_at + 1
    )

    def log(step: int, figures: Mapping[str, float]) -> None:
        for key, value in figures.items():
            writer.add_scalar(key, value, step)

    return Tracker(log, writer.close)


def _wandb(out: Path, settings: Mapping[str, object], resumed_at: int) -> Tracker:
    wandb = _import("wandb", "wandb")
    run = wandb.init(project="kofinlaw", dir=str(out), mode="offline", config=dict(settings))

    def log(step: int, figures: Mapping[str, float]) -> None:
        run.log(dict(figures), step=step)

    return Tracker(log, run.finish)


def _mlflow(out: Path, settings: Mapping[str, object], resumed_at: int) -> Tracker:
    mlflow = _import("mlflow", "mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{out / 'mlflow.db'}")
    mlflow.set_experiment("kofinlaw")
    mlflow.start_run()
    mlflow.log_params({key: str(value)[:250] for key, value in settings.items()})

    def log(step: int, figures: Mapping[str, float]) -> None:
        mlflow.log_metrics(dict(figures), step=step)

    return Tracker(log, mlflow.end_run)


_OPEN: dict[str, Callable[[Path, Mapping[str, object], int], Tracker]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "mlflow": _mlflow,
}
