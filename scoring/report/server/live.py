"""Describe a run at work: its stage, how far it is, the time left, its figures and loss curve."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kofinlaw.scoring.report.labels import stage_label
from kofinlaw.scoring.report.runs import RunState, StageState
from kofinlaw.scoring.report.wording.machine_words import PHASES, UNITS, state_label
from kofinlaw.scoring.value_text import Words
from kofinlaw.tolerant_files import finite_number, read_rows

__all__ = [
    "CURVE_POINTS",
    "Curve",
    "StageView",
    "figures_of",
    "loss_curve",
    "minutes_left",
    "phase_words",
    "stage_view",
    "stage_views",
    "time_words",
    "without_notices",
]

CURVE_POINTS = 240
# The curve's drawing, in the units of its viewBox.
_WIDTH, _HEIGHT = 640.0, 160.0
_NOISE = re.compile(r"\b(DEBUG|INFO|WARNING|FutureWarning|DeprecationWarning|UserWarning)\b")


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss of the steps so far as the points of an SVG polyline, with its figures as text."""

    points: str
    first: str
    last: str
    lowest: str
    highest: str
    steps: int


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage as the page shows it; `share` is percent done, or None if the total is unknown."""

    stage: StageState
    label: Words
    state: Words
    phase: Words
    share: float | None
    left: Words
    figures: list[tuple[Words, str]]
    curve: Curve | None
    log: str


def stage_views(run: RunState, folder: Path) -> list[StageView]:
    """Return the stages of a run for its page."""
    return [stage_view(stage, folder) for stage in run.stages]


def stage_view(stage: StageState, folder: Path) -> StageView:
    """Return one stage with the words, the time left and the curve of its progress."""
    partial = folder / f".{stage.name}.partial"
    figures = figures_of(stage.figures)
    left = minutes_left(stage, dict(figures)) if stage.status == "running" else None
    return StageView(
        stage=stage,
        label=stage_label(stage.name),
        state=state_label(stage.status),
        phase=phase_words(stage.phase),
        share=round(100 * stage.done / stage.total, 1)
        if stage.done is not None and stage.total
        else None,
        left=time_words(left),
        figures=[(UNITS[name], value) for name, value in figures if name in UNITS],
        curve=loss_curve(partial / "metrics.jsonl") if stage.status != "complete" else None,
        log=stage.log if stage.status == "failed" else without_notices(stage.log),
    )


def figures_of(text: str) -> list[tuple[str, str]]:
    """Return (name, value) of the figures of `progress.json`, which are two spaces apart."""
    pairs = (part.strip().partition(" ") for part in text.split("  ") if part.strip())
    return [(name, value.strip()) for name, _, value in pairs if value.strip()]


def minutes_left(stage: StageState, figures: dict[str, str]) -> float | None:
    """Return the minutes left: by the stage itself, else by its time so far and the share done."""
    try:
        return float(figures["minutes_left"])
    except (KeyError, ValueError):
        pass
    if not stage.done or not stage.total or not stage.seconds:
        return None
    return stage.seconds / stage.done * max(0, stage.total - stage.done) / 60


def time_words(minutes: float | None) -> Words:
    """Return a rough time left in words; empty if it is unknown."""
    if minutes is None:
        return "", ""
    if minutes < 1:
        return "1분 안에 끝남", "less than a minute left"
    hours, rest = divmod(round(minutes), 60)
    if not hours:
        return f"약 {rest}분 남음", f"about {rest} min left"
    return f"약 {hours}시간 {rest}분 남음", f"about {hours} h {rest} min left"


def phase_words(phase: str) -> Words:
    """Return a phase of a stage in both languages; an unknown one stays unchanged."""
    return PHASES.get(phase, (phase, phase))


def loss_curve(path: Path) -> Curve | None:
    """Return the loss of the steps so far; None with fewer than two."""
    rows = read_rows(path)
    losses = [v for row in rows if (v := finite_number(row.get("loss"))) is not None]
    if len(losses) < 2:
        return None
    step = max(1, len(losses) // CURVE_POINTS)
    kept = losses[::step]
    low, high = min(losses), max(losses)
    span = (high - low) or 1.0
    across = _WIDTH / (len(kept) - 1) if len(kept) > 1 else _WIDTH
    points = " ".join(
        f"{across * at:.1f},{_HEIGHT - (value - low) / span * _HEIGHT:.1f}"
        for at, value in enumerate(kept)
    )
    return Curve(
        points=points,
        first=f"{losses[0]:.3f}",
        last=f"{losses[-1]:.3f}",
        lowest=f"{low:.2f}",
        highest=f"{high:.2f}",
        steps=len(losses),
    )


def without_notices(log: str) -> str:
    """Return the lines of a log without the notices of libraries."""
    return "\n".join(line for line in log.splitlines() if not _NOISE.search(line))
