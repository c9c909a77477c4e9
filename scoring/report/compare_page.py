"""Render one page that compares systems or runs: sentences and tables that can be sorted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from kofinlaw.scoring.report.template import script, template
from kofinlaw.scoring.scores_record import FigureRecord
from kofinlaw.scoring.value_text import Words

__all__ = ["Cell", "Column", "cell", "comparison_page", "percent", "value_percent"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading in Korean and English, and the decimal digits of its numbers."""

    ko: str
    en: str
    digits: int = 1


class Cell(TypedDict):
    """A value as text, and the number that the column sorts by (empty for texts and dashes)."""

    text: str
    sort: str


def comparison_page(
    *,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[tuple[str, Sequence[float | str | None]]],
    lines: Sequence[Words] = (),
    note: Words = ("", ""),
    sections: Sequence[tuple[Words, Sequence[Sequence[str]]]] = (),
) -> str:
    """Return the page as self-contained HTML that needs no network. All texts are escaped.

    Args:
        title: title of the page.
        columns: the columns of numbers.
        rows: (name, one value per column; None is shown as a dash).
        lines: the conclusions.
        note: an explanation of the numbers.
        sections: further tables of text: (heading, rows, of which the first has the headings).
    """
    return template("compare.html")(
        title=title,
        columns=columns,
        rows=[(name, [cell(v, c) for v, c in zip(vs, columns, strict=True)]) for name, vs in rows],
        lines=lines,
        note=note,
        sections=sections,
        **script("compare.js"),
    )


def cell(value: float | str | None, column: Column) -> Cell:
    """Return the cell of a value."""
    if value is None:
        return {"text": "–", "sort": ""}
    if isinstance(value, str):
        return {"text": value, "sort": ""}
    return {"text": f"{value:,.{column.digits}f}", "sort": repr(float(value))}


def value_percent(figure: FigureRecord | None) -> float | None:
    """Return the value of a figure in percent."""
    return 100 * figure["value"] if figure else None


def percent(share: float | None) -> float | None:
    """Return a share in percent."""
    return None if share is None else 100 * share
