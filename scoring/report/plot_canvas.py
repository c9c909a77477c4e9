"""Draw plots in the report's style and return them as SVG text.

Text stays text, so the page's fonts show it, and it is never rotated: it fits with any font. The
margins are computed from the number of characters, not from a font of this machine. The colours are
variables of the page's style, light and dark, after Okabe and Ito. No series is distinguished by
colour alone, and labels of lines are in the margins, where no line passes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "BLUE",
    "COLOURS",
    "DASHES",
    "GREEN",
    "GREY",
    "INK",
    "MUTED",
    "ORANGE",
    "RULE",
    "SIZE",
    "SPARE",
    "STYLE",
    "VARIABLES",
    "WIDTH",
    "canvas",
    "caption",
    "colour_of",
    "embedded",
    "width_of",
]

INK, MUTED, RULE = "#1b2430", "#5d6673", "#dde1e7"
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8a919c"
COLOURS = {"trained-rag": BLUE, "trained": "#56B4E9", "base-rag": ORANGE, "base": GREY}
SPARE = (GREEN, "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("solid", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
# The variables of `report.css` that replace the colours, so that plots follow the page's colours.
VARIABLES = {
    INK.lower(): "var(--ink)",
    MUTED.lower(): "var(--muted)",
    RULE.lower(): "var(--rule)",
    BLUE.lower(): "var(--s-blue)",
    ORANGE.lower(): "var(--s-orange)",
    GREEN.lower(): "var(--s-green)",
    GREY.lower(): "var(--s-grey)",
    "#56b4e9": "var(--s-sky)",
    "#cc79a7": "var(--s-pink)",
    "#e69f00": "var(--s-amber)",
    "#ffffff": "var(--paper)",
}
WIDTH = 4.7  # inches; 451 px, so that text stays readable on a phone
SIZE = 9.5  # points

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "kofinlaw",
    "font.family": "DejaVu Sans",
    "font.size": SIZE,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "path.simplify": True,
}


def colour_of(name: str, index: int = 0) -> str:
    """Return a system's colour, which is the same in every plot; others get one by index."""
    return COLOURS.get(name, SPARE[index % len(SPARE)])


def width_of(text: str, size: float = SIZE) -> float:
    """Estimate the width of text in inches: Hangul 0.95 em, other characters 0.54 em."""
    ems = sum(0.95 if ord(character) > 0x1100 else 0.54 for character in text)
    return ems * size / 72


@contextmanager
def canvas(
    height: float, left: float, prefix: str, *, right: float = 0.3, bottom: float = 0.42
) -> Iterator[tuple[Axes, list[str]]]:
    """Yield (axes, out): draw on the axes; after the block out[0] is the SVG.

    Args:
        height: of the drawing, in inches.
        left: left margin, in inches.
        prefix: of the ids in the drawing.
        right: right margin, in inches.
        bottom: bottom margin, in inches.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    out: list[str] = []
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # The font used for measuring has no Hangul; the reader's font has.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        axes = figure.add_axes(
            (
                left / WIDTH,
                bottom / height,
                1 - (left + right) / WIDTH,
                1 - (bottom + 0.36) / height,
            )
        )
        axes.set_axisbelow(True)
        yield axes, out
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    out.append(embedded(buffer.getvalue(), prefix))


def embedded(svg: str, prefix: str) -> str:
    """Return only the SVG element, scalable, with prefixed ids so that plots can share a page."""
    svg = svg[svg.index("<svg") :]
    before, _, rest = svg.partition("<metadata>")
    svg = before + rest.partition("</metadata>")[2] if rest else svg
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^()]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--sans)", svg)
    svg = re.sub(r"#[0-9a-fA-F]{6}\b", lambda match: VARIABLES.get(match[0].lower(), match[0]), svg)
    # The text alternative is the label of the figure.
    return re.sub(
        r'<svg (?>[^<>]*?viewBox="([^"<>]+)")[^<>]*>',
        r'<svg viewBox="\1" aria-hidden="true" focusable="false">',
        svg,
        count=1,
    ).strip()


def caption(axes: Axes, text: str) -> None:
    """Write what the vertical axis shows above the axes, unrotated."""
    axes.text(0, 1.04, text, transform=axes.transAxes, ha="left", va="bottom", color=MUTED)
