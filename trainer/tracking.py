"""Where a run's curves go besides `metrics.jsonl`: TensorBoard, Weights & Biases, MLflow.

All three write into the run's own folder and none calls out: wandb runs in its offline mode,
MLflow on a file of its own.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import UserError


@dataclass(frozen=True)
class Tracker:
    """`log(step, figures)` writes a step's numbers, `close()` ends the record."""

    log: Callable[[int, Mapping[str, float]], None]
    close: Callable[[], None]


# What keeps them from calling out; read when they are imported.
_QUIET = {"wandb": {"WANDB_MODE": "offline"}, "mlflow": {"MLFLOW_DISABLE_TELEMETRY": "true"}}


def require(names: Sequence[str]) -> None:
    """Import the trackers called `names`; raises UserError where one is not installed."""
    for name in names:
        _need(name, name)


def open_trackers(
    names: Sequence[str], out: Path, *, settings: Mapping[str, Any], resumed_at: int
) -> list[Tracker]:
    """The trackers called `names`, writing below `out`; steps after `resumed_at` come again.

    Raises UserError where one is not installed.
    """
    return [_OPEN[name](out, settings, resumed_at) for name in names]


def numbers(line: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a line of `metrics.jsonl` that can be drawn."""
    return {
        key: float(value)
        for key, value in line.items()
        if key != "step" and isinstance(value, int | float)
    }


def _need(module: str, name: str) -> Any:
    os.environ.update(_QUIET.get(name, {}))
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"{name} is not installed",
            where="train.report_to",
            remedy="pip install 'kofinlaw[track]', or leave it out",
        ) from error


def _tensorboard(out: Path, settings: Mapping[str, Any], resumed_at: int) -> Tracker:
    _need("tensorboard", "tensorboard")
    writer = _need("torch.utils.tensorboard", "tensorboard").SummaryWriter(
        str(out / "tensorboard"), purge_step=resumed_at + 1
    )

    def log(step: int, figures: Mapping[str, float]) -> None:
        for key, value in figures.items():
            writer.add_scalar(key, value, step)

    return Tracker(log, writer.close)


def _wandb(out: Path, settings: Mapping[str, Any], resumed_at: int) -> Tracker:
    wandb = _need("wandb", "wandb")
    run = wandb.init(project="kofinlaw", dir=str(out), mode="offline", config=dict(settings))

    def log(step: int, figures: Mapping[str, float]) -> None:
        run.log(dict(figures), step=step)

    return Tracker(log, run.finish)


def _mlflow(out: Path, settings: Mapping[str, Any], resumed_at: int) -> Tracker:
    mlflow = _need("mlflow", "mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{out / 'mlflow.db'}")
    mlflow.set_experiment("kofinlaw")
    mlflow.start_run()
    mlflow.log_params({key: str(value)[:250] for key, value in settings.items()})

    def log(step: int, figures: Mapping[str, float]) -> None:
        mlflow.log_metrics(dict(figures), step=step)

    return Tracker(log, mlflow.end_run)


_OPEN: dict[str, Callable[[Path, Mapping[str, Any], int], Tracker]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "mlflow": _mlflow,
}
