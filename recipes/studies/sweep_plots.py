"""Draw the plots of a sweep: loss curves, and final loss against time or memory."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.recipes.studies.sweep_figures import PointFigures, short_keys
from kofinlaw.scoring.report.plot_canvas import (
    BLUE,
    DASHES,
    GREEN,
    GREY,
    ORANGE,
    SIZE,
    canvas,
    caption,
)

__all__ = ["COLOURS", "curves_plot", "trade_plot"]

COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", GREY)


def curves_plot(points: Sequence[PointFigures], prefix: str, *, x_label: str, y_label: str) -> str:
    """Draw the smoothed training loss by step, one line for each point,
    with its own colour and dashes. The legend is below the axes.
    """
    below = 0.22 * len(points)
    with canvas(3.0 + below, 0.62, prefix, bottom=0.42 + below) as (axes, out):
        for index, point in enumerate(points):
            axes.plot(
                range(1, point.steps + 1),
                point.losses,
                color=COLOURS[index % len(COLOURS)],
                ls=DASHES[index % len(DASHES)],
                lw=1.8,
                label=short_keys(point.keys),
            )
        axes.set_ylim(bottom=0)
        axes.set_xlabel(x_label)
        caption(axes, y_label)
        axes.grid(axis="y")
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(0, -0.2),
            borderaxespad=0,
            frameon=False,
            fontsize=SIZE - 0.5,
        )
    return out[0]


def trade_plot(
    points: Sequence[PointFigures], prefix: str, cost: str, *, x_label: str, y_label: str
) -> str:
    """Draw the final loss against a cost; points on the Pareto front are filled, the others hollow.

    Args:
        points: The points of the sweep.
        prefix: Makes the ids inside the SVG unique on the page.
        cost: The attribute of a point that holds the cost: `seconds` or `memory_mean`.
        x_label: The text of the cost axis.
        y_label: The text of the loss axis.
    """
    with canvas(3.0, 0.62, prefix) as (axes, out):
        for index, point in enumerate(points):
            colour = COLOURS[index % len(COLOURS)]
            where = (getattr(point, cost), point.final_loss)
            axes.plot(*where, "o", ms=8, color=colour, mfc=colour if point.pareto else "white")
            axes.annotate(
                short_keys(point.keys),
                where,
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
                fontsize=SIZE - 0.5,
            )
        axes.margins(x=0.18, y=0.22)
        axes.set_xlabel(x_label)
        caption(axes, y_label)
        axes.grid(axis="both")
    return out[0]
