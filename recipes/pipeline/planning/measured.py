"""Read the rates of earlier runs on this machine: tokens trained and answers a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw.models.machines import Machine, machine_name
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.settings import RagSettings
from kofinlaw.recipes.pipeline.integrity.stage_record import StageRecord, read_record
from kofinlaw.recipes.pipeline.planning.answering_effort import Load, effort_of
from kofinlaw.recipes.pipeline.run import Run

__all__ = ["MeasuredRate", "answering_rate", "training_rate"]

FEWEST_SECONDS = 10.0  # a shorter stage is mostly loading


@dataclass(frozen=True)
class MeasuredRate:
    """A rate from an earlier run: units a second, and the run that it was measured in."""

    rate: float
    run: str


def training_rate(run: Run, machine: Machine) -> MeasuredRate | None:
    """Return the tokens a second of the newest training of this model on this machine; None if
    there is none, or if the plan is for another machine.
    """
    wanted = run.recipe.train
    for name, record in _records(run, machine, "train"):
        settings: Any = record.get("settings", {})
        if settings.get("train", {}).get("quantization") != wanted.quantization:
            continue
        rate = record.get("counts", {}).get("tokens_per_second")
        if isinstance(rate, (int, float)) and rate > 0:
            return MeasuredRate(float(rate), name)
    return None


def answering_rate(run: Run, machine: Machine) -> MeasuredRate | None:
    """Return the effort a second (in prompt tokens) of the newest answers of this model with an
    index on this machine; None if there are none.

    The effort of the earlier run is estimated as that of the planned one is, from its settings and
    its number of questions, so that an error of the estimate largely cancels.
    """
    engine = run.recipe.answer.engine
    for stage in ("submission", "answer-trained-rag", "answer-base-rag"):
        for name, record in _records(run, machine, stage):
            settings: Any = record.get("settings", {})
            counts: Any = record.get("counts", {})
            try:
                answer = AnswerSettings.model_validate(settings["answer"])
                rag = RagSettings.model_validate(settings["rag"])
                load = Load(choices=int(counts["choice"]), free=int(counts["free"]))
                seconds = float(counts["seconds_used"])
                full = int(counts["plan_full"])
            except (KeyError, TypeError, ValueError):
                continue
            same = (answer.engine.engine, answer.engine.quantization)
            whole = full == load.choices + load.free  # a cheaper plan says nothing of the full one
            if same != (engine.engine, engine.quantization) or not whole:
                continue
            if seconds >= FEWEST_SECONDS and load.questions:
                effort = effort_of(load, answer, rag.evidence_tokens).first
                return MeasuredRate(effort / seconds, name)
    return None


def _records(run: Run, machine: Machine, stage: str) -> list[tuple[str, StageRecord]]:
    """Return (run, record) of the complete stages of this name, model and machine, newest first."""
    if not machine.here:
        return []
    found: list[tuple[float, str, StageRecord]] = []
    for folder in {run.folder, *_folders(run.folder.parent)}:
        record = read_record(folder / stage)
        settings: Any = record.get("settings", {})
        if record.get("status") != "complete" or record.get("machine") != machine_name():
            continue
        if settings.get("model", {}).get("id") == run.recipe.model.id:
            path = folder / stage / "stage.json"
            found.append((path.stat().st_mtime, folder.name, record))
    return [(name, record) for _, name, record in sorted(found, key=lambda row: -row[0])]


def _folders(runs: Path) -> list[Path]:
    return [path for path in runs.iterdir() if path.is_dir()] if runs.is_dir() else []
