"""Draw the report's plots as SVG text: scores, training loss, lengths, times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from kofinlaw.scoring.report.plot_canvas import (
    BLUE,
    DASHES,
    INK,
    MUTED,
    ORANGE,
    SIZE,
    canvas,
    caption,
    colour_of,
    width_of,
)
from kofinlaw.scoring.report.report_record import LossPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = [
    "END_MARGIN",
    "LEGEND_LINE",
    "Row",
    "accuracy_plot",
    "bins",
    "coverage_plot",
    "histogram_plot",
    "latency_plot",
    "loss_plot",
    "running_mean",
    "score_plot",
    "share_plot",
    "spaced",
]


END_MARGIN = 0.8  # inches at the right of a curve, for the label of its end
LEGEND_LINE = 0.2  # inches of a line of a legend


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the score plot: a label and a mean with its interval (0..1)."""

    label: str
    value: float
    low: float
    high: float
    name: str
    trivial: bool = False
    best: bool = False


def score_plot(rows: Sequence[Row], prefix: str) -> str:
    """Draw means with intervals, one per row: systems filled, trivial baselines hollow.

    The values are in a column at the right. A dashed line marks the `best` baseline.
    """
    height = 0.82 + 0.33 * len(rows)
    left = 0.12 + max(width_of(row.label) for row in rows)
    with canvas(height, min(left, 2.3), prefix, right=0.55) as (axes, out):
        for index, row in enumerate(rows):
            colour = MUTED if row.trivial else colour_of(row.name, index)
            if row.best:
                axes.axvline(100 * row.value, color=MUTED, lw=1.1, ls=(0, (4, 3)), zorder=1)
            if row.high > row.low:
                axes.plot([100 * row.low, 100 * row.high], [index] * 2, color=colour, lw=1.8)
            axes.plot(
                100 * row.value,
                index,
                marker="D" if row.trivial else "o",
                ms=5 if row.trivial else 7.5,
                color=colour,
                mfc=colour if row.best or not row.trivial else "white",
                clip_on=False,
            )
            axes.annotate(
                f"{100 * row.value:.1f}",
                (1, index),
                xycoords=("axes fraction", "data"),
                xytext=(32, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                color=MUTED if row.trivial and not row.best else INK,
                fontweight="bold" if row.best or not row.trivial else "normal",
            )
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_color(MUTED if row.trivial and not row.best else INK)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 100)
        axes.set_xticks(range(0, 101, 25), [f"{tick}%" for tick in range(0, 101, 25)])
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
    return out[0]


def loss_plot(
    points: Sequence[LossPoint], prefix: str, *, x_label: str, y_label: str, smooth: str
) -> str:
    """Draw training loss by step as dots with a running mean, and evaluation loss as squares."""
    with canvas(2.9, 0.62, prefix, right=END_MARGIN) as (axes, out):
        _curve(axes, _pairs(points, "loss"), _pairs(points, "eval_loss"), smooth)
        axes.set_xlabel(x_label)
        caption(axes, y_label)
    return out[0]


def accuracy_plot(
    points: Sequence[LossPoint], prefix: str, *, x_label: str, y_label: str, smooth: str
) -> str:
    """Draw the share of right items by step as dots with a running mean, held out as squares."""
    with canvas(2.9, 0.62, prefix, right=END_MARGIN) as (axes, out):
        _curve(axes, _pairs(points, "accuracy"), _pairs(points, "eval_accuracy"), smooth, top=1.02)
        axes.set_xlabel(x_label)
        caption(axes, y_label)
    return out[0]


def _pairs(
    points: Sequence[LossPoint],
    name: Literal["loss", "eval_loss", "accuracy", "eval_accuracy"],
) -> list[tuple[int, float]]:
    """Return (step, value) of the steps that have the value."""
    found = ((point["step"], point.get(name)) for point in points)
    return [(step, value) for step, value in found if value is not None]


def _curve(
    axes: Axes,
    train: Sequence[tuple[int, float]],
    held: Sequence[tuple[int, float]],
    smooth: str,
    top: float | None = None,
) -> None:
    """Draw training values as dots with their running mean, and held-out values as squares.

    `top` is the upper limit of the vertical axis; None fits it to the values.
    """
    means = []
    if train:
        steps, values = zip(*train, strict=True)
        means = running_mean(values)
        axes.plot(steps, values, "o", ms=4, color=BLUE, alpha=0.5, mew=0)
        axes.plot(steps, means, color=BLUE, lw=2)
    if held:
        steps, values = zip(*held, strict=True)
        axes.plot(steps, values, "s--", ms=4.5, lw=1.3, color=ORANGE)
    axes.grid(axis="y")
    axes.margins(x=0.02)
    axes.set_ylim(0, top)
    if means:
        _end_labels(axes, [(means[-1], f"{smooth} {means[-1]:.2f}", BLUE)])


def running_mean(values: Sequence[float]) -> list[float]:
    """Return the mean around each value: a tenth of all values, at least 3, fewer at the ends."""
    reach = max(1, len(values) // 20)
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype=np.float64))])
    out = []
    for index in range(len(values)):
        room = min(reach, index, len(values) - 1 - index)
        low, high = index - room, index + room + 1
        out.append(float((sums[high] - sums[low]) / (high - low)))
    return out


def histogram_plot(
    edges: Sequence[float],
    counts: Sequence[int],
    prefix: str,
    *,
    x_label: str,
    y_label: str,
    limit: float | None = None,
    limit_label: str = "",
) -> str:
    """Draw a histogram of lengths and mark the limit; there is one more edge than counts."""
    with canvas(2.9, 0.62, prefix) as (axes, out):
        widths = np.diff(np.asarray(edges, dtype=np.float64))
        axes.bar(edges[:-1], counts, widths, align="edge", color=BLUE, ec="white", lw=0.8)
        if limit is not None and limit <= 1.6 * edges[-1]:
            axes.axvline(limit, color=ORANGE, lw=1.4, ls=(0, (4, 2)))
            axes.annotate(
                limit_label,
                (limit, 1),
                xycoords=("data", "axes fraction"),
                xytext=(-4, 0),
                textcoords="offset points",
                ha="right",
                va="top",
                color=ORANGE,
            )
        axes.set_xlabel(x_label)
        caption(axes, y_label)
        axes.grid(axis="y")
        axes.set_ylim(0, max(*counts, 1) * 1.18)
    return out[0]


def latency_plot(
    curves: Mapping[str, Sequence[float]],
    labels: Mapping[str, str],
    prefix: str,
    *,
    x_label: str,
    y_label: str,
    budget: float | None,
    budget_label: str,
    changes: Mapping[str, Sequence[int]],
) -> str:
    """Draw cumulative seconds by question with the budget; triangles mark changes of the plan.

    `curves` are cumulative seconds after each question, `changes` indices of questions. The budget
    is drawn only if it does not flatten the curves; the text alternative always names it.
    """
    longest = max((len(curve) for curve in curves.values()), default=1)
    top = max((curve[-1] for curve in curves.values() if len(curve)), default=1.0)
    unit = 60.0 if top > 600 else 1.0
    right = 0.2 + max((width_of(label) for label in labels.values()), default=0.0)
    with canvas(2.9, 0.62, prefix, right=min(right, 1.6)) as (axes, out):
        ends = []
        for index, (name, curve) in enumerate(curves.items()):
            seconds = np.concatenate([[0.0], np.asarray(curve, dtype=np.float64)]) / unit
            colour = colour_of(name, index)
            keep = np.unique(np.linspace(0, len(seconds) - 1, 240).astype(int))
            axes.plot(keep, seconds[keep], color=colour, lw=1.9, ls=DASHES[index % len(DASHES)])
            changed = [at for at in changes.get(name, ()) if at < len(seconds)]
            axes.plot(changed, seconds[changed], "^", color=colour, ms=6, mec="white", mew=0.6)
            ends.append((float(seconds[-1]), labels[name], colour))
        ceiling = 1.12 * top / unit
        if budget is not None and budget <= 2 * top:
            ceiling = max(ceiling, 1.18 * budget / unit)
            axes.axhline(budget / unit, color=INK, lw=1.1, ls=(0, (4, 2)))
            axes.annotate(
                budget_label,
                (0, budget / unit),
                xytext=(3, 3),
                textcoords="offset points",
                ha="left",
                va="bottom",
                color=INK,
            )
        axes.set_xlim(0, longest)
        axes.set_ylim(0, ceiling * 1.06)
        _end_labels(axes, ends)
        axes.set_xlabel(x_label)
        caption(axes, y_label.format(unit="min" if unit == 60 else "s"))
        axes.grid(axis="y")
    return out[0]


def share_plot(
    seconds: Mapping[str, Sequence[float]],
    labels: Mapping[str, str],
    prefix: str,
    *,
    x_label: str,
    y_label: str,
) -> str:
    """Draw the share of questions that took at most so many seconds, with p50 and p95 marked."""
    below = LEGEND_LINE * len(seconds)
    with canvas(2.9 + below, 0.62, prefix, bottom=0.42 + below) as (axes, out):
        legend = []
        for index, (name, values) in enumerate(seconds.items()):
            rising = np.sort(np.asarray(values, dtype=np.float64))
            keep = np.unique(np.linspace(0, len(rising) - 1, 200).astype(int))
            shares = 100 * (keep + 1) / len(rising)
            colour, dash = colour_of(name, index), DASHES[index % len(DASHES)]
            (line,) = axes.plot(rising[keep], shares, color=colour, lw=1.9, ls=dash)
            marks = np.quantile(rising, [0.5, 0.95])
            axes.plot(marks, [50, 95], "o", color=colour, ms=5.5, mec="white", mew=0.8)
            legend.append((line, labels[name]))
        axes.set_ylim(0, 103)
        axes.set_xlim(left=0)
        axes.set_yticks(range(0, 101, 25), [f"{tick}%" for tick in range(0, 101, 25)])
        axes.set_xlabel(x_label)
        caption(axes, y_label)
        axes.grid(axis="both")
        _legend(axes, legend)
    return out[0]


def coverage_plot(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    labels: Mapping[str, str],
    prefix: str,
    *,
    x_label: str,
    y_label: str,
) -> str:
    """Draw risk by coverage: `curves` are (coverage, risk) by system, both in 0..1."""
    below = LEGEND_LINE * len(curves)
    with canvas(2.9 + below, 0.62, prefix, bottom=0.42 + below) as (axes, out):
        legend = []
        for index, (name, points) in enumerate(curves.items()):
            coverages, values = zip(*points, strict=True)
            colour, dash = colour_of(name, index), DASHES[index % len(DASHES)]
            (line,) = axes.plot(
                [100 * c for c in coverages],
                [100 * v for v in values],
                color=colour,
                lw=1.9,
                ls=dash,
            )
            axes.plot(100 * coverages[-1], 100 * values[-1], "o", color=colour, ms=5)
            legend.append((line, labels[name]))
        for setter in (axes.set_xticks, axes.set_yticks):
            setter(range(0, 101, 25), [f"{tick}%" for tick in range(0, 101, 25)])
        axes.grid(axis="both")
        axes.set_xlim(0, 102)
        axes.set_ylim(0, 103)
        axes.set_xlabel(x_label)
        caption(axes, y_label)
        _legend(axes, legend)
    return out[0]


def _legend(axes: Axes, rows: Sequence[tuple[Line2D, str]]) -> None:
    """Draw the legend below the axes, where no line passes; nothing without rows."""
    if rows:
        lines, names = zip(*rows, strict=True)
        axes.legend(
            lines,
            names,
            loc="upper left",
            bbox_to_anchor=(0, -0.42 / (2.9 - 0.78)),
            frameon=False,
            fontsize=SIZE - 0.5,
            borderaxespad=0,
            handlelength=2.6,
        )


def _end_labels(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write (height, label, colour) of the lines' ends in the right margin, apart from each other.

    Call it after the limits of the axes are set.
    """
    low, high = axes.get_ylim()
    ordered = sorted(ends)
    heights = spaced([end[0] for end in ordered], 0.085 * (high - low))
    # The labels of ends near the top move down together, so that they stay within the axes.
    over = max(0.0, heights[-1] - high) if heights else 0.0
    for height, (_, label, colour) in zip(heights, ordered, strict=True):
        axes.annotate(
            label,
            (1, height - over),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            color=colour,
        )


def spaced(heights: Sequence[float], gap: float) -> list[float]:
    """Move rising heights up just enough that they are `gap` apart."""
    out: list[float] = []
    for height in heights:
        out.append(max(height, out[-1] + gap) if out else height)
    return out


def bins(values: Sequence[float], most: int = 24) -> tuple[list[float], list[int]]:
    """Return histogram edges at round numbers and the counts between them."""
    if not values:
        return [0.0, 1.0], [0]
    low, high = min(values), max(values)
    rough = max((high - low) / most, 1.0)
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    start, stop = math.floor(low / step), math.floor(high / step) + 1
    edges = [step * i for i in range(start, stop + 1)]
    counts, _ = np.histogram(np.asarray(values, dtype=np.float64), edges)
    return edges, [int(count) for count in counts]
