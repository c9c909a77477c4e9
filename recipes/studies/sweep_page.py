"""Write a sweep's results as Markdown, CSV, JSON and one HTML page."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from kofinlaw.files import write_json, write_text
from kofinlaw.recipes.studies.sweep import Failure, point_name
from kofinlaw.recipes.studies.sweep_figures import (
    PointFigures,
    as_record,
    compared,
    conclusion,
    short_keys,
)
from kofinlaw.scoring.report.template import template

__all__ = ["GOALS", "markdown", "write_sweep"]

GOALS = {
    "best_loss": ("손실이 가장 낮은 설정", "lowest final loss"),
    "best_value": ("손실과 시간의 균형이 가장 좋은 설정", "best value: loss against time"),
    "least_memory": ("메모리를 가장 적게 쓰는 설정", "least memory"),
}


def write_sweep(
    out: Path, name: str, points: Sequence[PointFigures], failures: Sequence[Failure]
) -> list[str]:
    """Write sweep.json, .csv, .md and .html into `out`; returns the lines of the Markdown."""
    level = 0.0
    if points:
        points, level = compared(points)
    write_json(out / "sweep.json", as_record(points, level, failures))
    write_text(out / "sweep.csv", _csv(points))
    lines = markdown(name, points, level, failures)
    write_text(out / "sweep.md", "\n".join(lines) + "\n")
    write_text(out / "sweep.html", _html(name, points, level, failures))
    return lines


def _cells(point: PointFigures, level: float) -> dict[str, str]:
    """Return the text of each cell by column heading, in the order of the columns."""
    keys = {key.rpartition(".")[2]: value for key, value in point.keys.items()}
    return {
        **keys,
        "final loss": f"{point.final_loss:.4f}" + (" (held out)" if point.held_out else ""),
        f"steps to {level:.3f}": str(point.steps_to_level),
        "runtime s": f"{point.seconds:.0f}",
        "memory GiB mean (sd)": f"{point.memory_mean:.2f} ({point.memory_sd:.2f})",
        "min–max": f"{point.memory_min:.2f}–{point.memory_max:.2f}",
        "trained parameters": f"{point.trained_parameters:,}" if point.trained_parameters else "–",
        "accuracy": "–" if point.accuracy is None else f"{100 * point.accuracy:.1f} %",
        "Pareto": "●" if point.pareto else "",
    }


def markdown(
    name: str, points: Sequence[PointFigures], level: float, failures: Sequence[Failure]
) -> list[str]:
    """Return the table, the conclusion for each goal and the failures, as lines."""
    lines = [f"# {name}", ""]
    if points:
        rows = [_cells(point, level) for point in points]
        lines += ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
        lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
        lines.append("")
        for goal, point in conclusion(points).items():
            lines.append(f"- {GOALS[goal][1]}: **{short_keys(point.keys)}** ({_why(goal, point)})")
    else:
        lines.append("No point finished.")
    lines += [f"- failed: {point_name(failure.point)}: {failure.reason}" for failure in failures]
    return lines


def _why(goal: str, point: PointFigures) -> str:
    return {
        "best_loss": f"loss {point.final_loss:.4f}",
        "best_value": f"loss {point.final_loss:.4f} in {point.seconds:.0f} s",
        "least_memory": f"{point.memory_mean:.2f} GiB on average",
    }[goal]


def _csv(points: Sequence[PointFigures]) -> str:
    """Return one row for each point with unrounded numbers.

    The loss curves are only in sweep.json.
    """
    if not points:
        return ""
    rows = []
    for point in points:
        figures = asdict(point)
        keys = figures.pop("keys")
        del figures["losses"], figures["evaluations"]
        rows.append({**keys, **figures})
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _html(
    name: str, points: Sequence[PointFigures], level: float, failures: Sequence[Failure]
) -> str:
    rows = [_cells(point, level) for point in points]
    return template("sweep.html", Path(__file__).resolve().parent)(
        name=name,
        columns=list(rows[0]) if rows else [],
        rows=rows,
        conclusion=[
            (GOALS[goal], short_keys(point.keys), _why(goal, point))
            for goal, point in (conclusion(points).items() if points else ())
        ],
        figures=_figures(points) if points else [],
        failures=[(point_name(failure.point), failure.reason) for failure in failures],
    )


class _Figure(TypedDict):
    """A plot with its title in Korean and English and its text alternative."""

    title: tuple[str, str]
    words: str
    svg: str


def _figures(points: Sequence[PointFigures]) -> list[_Figure]:
    from kofinlaw.recipes.studies.sweep_plots import curves_plot, trade_plot

    return [
        {
            "title": ("학습 손실", "Training loss"),
            "words": f"Smoothed training loss by step for {len(points)} settings",
            "svg": curves_plot(points, "curves"),
        },
        {
            "title": ("손실과 시간", "Loss against time"),
            "words": "Final loss against runtime; filled points are on the Pareto front",
            "svg": trade_plot(points, "time", "seconds", "runtime, s"),
        },
        {
            "title": ("손실과 메모리", "Loss against memory"),
            "words": "Final loss against mean memory; filled points are on the Pareto front",
            "svg": trade_plot(points, "memory", "memory_mean", "mean memory, GiB"),
        },
    ]
