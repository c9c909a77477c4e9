"""Write a sweep's results as Markdown, CSV, JSON and one HTML page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from kofinlaw.files import write_json, write_text
from kofinlaw.recipes.studies.sweep import Failure, point_name
from kofinlaw.recipes.studies.sweep_figures import (
    PointFigures,
    as_record,
    compared,
    conclusion,
    short_keys,
)
from kofinlaw.scoring.report.labels import LANGUAGES
from kofinlaw.scoring.report.template import template
from kofinlaw.scoring.value_text import Plot, Words, plot_of
from kofinlaw.texts import markdown_text

__all__ = ["COLUMNS", "GOALS", "markdown", "write_sweep"]

GOALS = {
    "best_loss": ("손실이 가장 낮은 설정", "lowest final loss"),
    "best_value": ("손실과 시간의 균형이 가장 좋은 설정", "best value: loss against time"),
    "least_memory": ("메모리를 가장 적게 쓰는 설정", "least memory"),
}

# The Korean headings of the columns.
COLUMNS = {
    "final loss": "마지막 손실",
    "runtime s": "실행 시간, s",
    "memory GiB mean (sd)": "메모리 GiB 평균 (표준편차)",
    "min–max": "최소–최대",
    "trained parameters": "학습한 파라미터",
    "accuracy": "정답률",
    "Pareto": "파레토",
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
    lines = [f"# {markdown_text(name)}", ""]
    if points:
        rows = [_cells(point, level) for point in points]
        lines += [
            "| " + " | ".join(map(markdown_text, rows[0])) + " |",
            "|" + " --- |" * len(rows[0]),
        ]
        lines += ["| " + " | ".join(map(markdown_text, row.values())) + " |" for row in rows]
        lines.append("")
        for goal, point in conclusion(points).items():
            keys = markdown_text(short_keys(point.keys))
            lines.append(f"- {GOALS[goal][1]}: **{keys}** ({_why(goal, point)})")
    else:
        lines.append("No point finished.")
    lines += [
        f"- failed: {markdown_text(f'{point_name(failure.point)}: {failure.reason}')}"
        for failure in failures
    ]
    return lines


def _why(goal: str, point: PointFigures) -> str:
    return {
        "best_loss": f"loss {point.final_loss:.4f}",
        "best_value": f"loss {point.final_loss:.4f} in {point.seconds:.0f} s",
        "least_memory": f"{point.memory_mean:.2f} GiB on average",
    }[goal]


def _why_words(goal: str, point: PointFigures) -> Words:
    return {
        "best_loss": f"손실 {point.final_loss:.4f}",
        "best_value": f"{point.seconds:.0f}초에 손실 {point.final_loss:.4f}",
        "least_memory": f"평균 {point.memory_mean:.2f} GiB",
    }[goal], _why(goal, point)


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
        columns=[_column(column) for column in rows[0]] if rows else [],
        rows=rows,
        conclusion=[
            (GOALS[goal], short_keys(point.keys), _why_words(goal, point))
            for goal, point in (conclusion(points).items() if points else ())
        ],
        figures=_figures(points) if points else [],
        failures=[(point_name(failure.point), failure.reason) for failure in failures],
    )


def _column(name: str) -> Words:
    """Return the heading of a column; keys of the recipe keep their names."""
    if name.startswith("steps to "):
        return f"손실 {name.removeprefix('steps to ')}까지 스텝", name
    return COLUMNS.get(name, name), name


def _figures(points: Sequence[PointFigures]) -> list[Plot]:
    from kofinlaw.recipes.studies.sweep_plots import curves_plot, trade_plot

    def curves(language: str) -> str:
        at = LANGUAGES.index(language)
        return curves_plot(
            points,
            f"curves-{language}",
            x_label=("스텝", "step")[at],
            y_label=("손실 (토큰당, nat)", "loss, nats a token")[at],
        )

    def trade(name: str, cost: str, label: Words) -> Callable[[str], str]:
        def draw(language: str) -> str:
            at = LANGUAGES.index(language)
            return trade_plot(
                points,
                f"{name}-{language}",
                cost,
                x_label=label[at],
                y_label=("마지막 손실 (토큰당, nat)", "final loss, nats a token")[at],
            )

        return draw

    front = ("채운 점은 파레토 경계", "filled points are on the Pareto front")
    count = len(points)
    return [
        plot_of(
            ("학습 손실", "Training loss"),
            None,
            (f"설정 {count}개의 이동 평균", f"smoothed, by step, for {count} settings"),
            curves,
        ),
        plot_of(
            ("손실과 시간", "Loss against time"),
            front,
            front,
            trade("time", "seconds", ("실행 시간, s", "runtime, s")),
        ),
        plot_of(
            ("손실과 메모리", "Loss against memory"),
            front,
            front,
            trade("memory", "memory_mean", ("평균 메모리, GiB", "mean memory, GiB")),
        ),
    ]
