"""Summarize the runs of a folder for the list: model, date, score, state."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from kofinlaw.data.plain_yaml import load_yaml
from kofinlaw.scoring.claims import main_system
from kofinlaw.scoring.report.runs import RunState, run_state
from kofinlaw.scoring.report.wording.descriptions import description_words
from kofinlaw.scoring.scores_record import SCHEMA, FigureRecord, ScoresRecord
from kofinlaw.scoring.value_text import Words
from kofinlaw.tolerant_files import read_json

__all__ = ["RunRow", "last_change", "read_scores", "recipe_of", "run_row"]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of the list.

    `state` is running, failed, stopped, complete (a report was written), outdated (its scores have
    another schema), unproven (a report without scores) or started. `choice` and `free` are the main
    system's scores; None if not measured.
    """

    run: RunState
    state: str
    model: str
    description: Words
    date: str
    choice: FigureRecord | None
    free: FigureRecord | None
    stages: int

    @property
    def comparable(self) -> bool:
        """Return whether the scores can be read."""
        return self.choice is not None or self.free is not None

    @property
    def name(self) -> str:
        """Return the name of the run's folder."""
        return self.run.name


def run_row(folder: Path) -> RunRow:
    """Return the summary of a run; parts that cannot be read are left out."""
    run = run_state(folder)
    recipe = recipe_of(folder)
    scores = read_scores(folder)
    system = main_system(scores) if scores else None
    one = scores["systems"][system] if scores and system else None
    return RunRow(
        run=run,
        state=_state(run, scored=one is not None),
        model=_model(recipe),
        description=description_words(str(recipe.get("description") or "")),
        date=last_change(folder),
        choice=one["choice"] if one else None,
        free=one["free"] if one else None,
        stages=sum(stage.status == "complete" for stage in run.stages),
    )


def read_scores(folder: Path) -> ScoresRecord | None:
    """Return the scores of a run; None without scores, or if they have another schema."""
    record = read_json(folder / "score" / "scores.json")
    if not record or record.get("schema") != SCHEMA:
        return None
    return cast("ScoresRecord", record)


def recipe_of(folder: Path) -> Mapping[str, object]:
    """Return the recipe of a run as its report keeps it, or `recipe.yaml`; empty if unreadable."""
    record = read_json(folder / "report" / "recipe.json")
    if record:
        return record
    import yaml

    try:
        found = load_yaml((folder / "recipe.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def last_change(folder: Path) -> str:
    """Return when a stage last wrote its record, as local time; empty without stages."""
    times = [path.stat().st_mtime for path in folder.glob("*/stage.json")]
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(max(times))) if times else ""


def _model(recipe: Mapping[str, object]) -> str:
    """Return the model's id of a recipe, or the end of its path; empty if it has none."""
    model = recipe.get("model")
    if isinstance(model, str):
        return model
    if isinstance(model, Mapping):
        return str(model.get("id") or Path(str(model.get("path") or "")).name)
    return ""


def _state(run: RunState, *, scored: bool) -> str:
    statuses = {stage.status for stage in run.stages}
    if run.running:
        return "running"
    for status in ("failed", "stopped"):
        if status in statuses:
            return status
    if run.has_report and run.has_scores and not scored:
        return "outdated"
    if run.has_report:
        return "complete" if scored else "unproven"
    return "started"
