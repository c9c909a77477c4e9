"""Render one page that compares systems or runs: sentences and tables that can be sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from kofinlaw.scoring.report.template import template
from kofinlaw.scoring.scores_record import FigureRecord
from kofinlaw.scoring.value_text import Plot, Words

__all__ = [
    "Cell",
    "Column",
    "Table",
    "Value",
    "cell",
    "comparison_page",
    "percent",
    "value_percent",
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading in Korean and English, and the decimal digits of its numbers."""

    ko: str
    en: str
    digits: int = 1


class Cell(TypedDict):
    """A value as text with its interval, and the number that the column sorts by.

    `interval` is empty without one, `sort` is empty for texts and dashes.
    """

    text: str
    interval: str
    sort: str


Value = float | str | FigureRecord | None


@dataclass(frozen=True, slots=True)
class Table:
    """A further table: its heading, the headings of its columns, rows, and a note instead of rows.

    A cell of the rows is one text, or a pair of Korean and English. `figures` marks a table whose
    cells, except the first of a row, are figures: they are not wrapped.
    """

    title: Words
    columns: Sequence[Words]
    rows: Sequence[Sequence[str | Words]]
    absent: Words = ("차이가 없습니다.", "Nothing differs.")
    figures: bool = False


def comparison_page(
    *,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[tuple[Words, Sequence[Value]]],
    lines: Sequence[Words] = (),
    note: Words = ("", ""),
    plots: Sequence[Plot] = (),
    tables: Sequence[Table] = (),
) -> str:
    """Return the page as self-contained HTML that needs no network. All texts are escaped.

    Args:
        title: title of the page.
        columns: the columns of numbers.
        rows: (name, one value per column; None is shown as a dash, a figure with its interval).
        lines: the conclusions, the most important first.
        note: an explanation of the numbers.
        plots: drawings above the table.
        tables: further tables of text.
    """
    return template("compare.html")(
        title=title,
        columns=columns,
        rows=[(name, [cell(v, c) for v, c in zip(vs, columns, strict=True)]) for name, vs in rows],
        lines=lines,
        note=note,
        plots=plots,
        tables=tables,
    )


def cell(value: Value, column: Column) -> Cell:
    """Return the cell of a value; a figure is shown in percent with its interval."""
    if value is None:
        return {"text": "–", "interval": "", "sort": ""}
    if isinstance(value, str):
        return {"text": value, "interval": "", "sort": ""}
    if isinstance(value, Mapping):
        low, high = 100 * value["low"], 100 * value["high"]
        return {
            "text": f"{100 * value['value']:.{column.digits}f}",
            "interval": f"{low:.0f}–{high:.0f}" if low != high else "",
            "sort": repr(float(value["value"])),
        }
    return {
        "text": f"{value:,.{column.digits}f}",
        "interval": "",
        "sort": repr(float(value)),
    }


def value_percent(figure: FigureRecord | None) -> float | None:
    """Return the value of a figure in percent."""
    return 100 * figure["value"] if figure else None


def percent(share: float | None) -> float | None:
    """Return a share in percent."""
    return None if share is None else 100 * share
