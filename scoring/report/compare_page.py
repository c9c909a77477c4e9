"""One page that puts systems or runs side by side: sentences, a table that sorts, bars in cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kofinlaw.scoring.report.template import script, template

Words = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading in Korean and English, and the digits after its numbers' point."""

    ko: str
    en: str
    digits: int = 1


def comparison_page(
    *,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[tuple[str, Sequence[float | str | None]]],
    lines: Sequence[Words] = (),
    note: Words = ("", ""),
    sections: Sequence[tuple[Words, Sequence[Sequence[str]]]] = (),
) -> str:
    """The page as HTML, self-contained and without a network.

    `rows` are (name, a value a column; None is a dash); `lines` the conclusions, `sections` further
    tables of text as (heading, rows with the heading row first). All texts are escaped.
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


def cell(value: float | str | None, column: Column) -> dict[str, Any]:
    """A value's text, and the number it sorts by (none for texts and dashes)."""
    if value is None:
        return {"text": "–", "sort": ""}
    if isinstance(value, str):
        return {"text": value, "sort": ""}
    return {"text": f"{value:,.{column.digits}f}", "sort": repr(float(value))}
