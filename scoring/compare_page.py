"""One page that puts systems or runs side by side: sentences, a table that sorts, bars in cells."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
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
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
    )
    script = (FOLDER / "compare.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    return environment.get_template("compare.html").render(
        title=title,
        columns=columns,
        rows=[(name, [cell(v, c) for v, c in zip(vs, columns, strict=True)]) for name, vs in rows],
        lines=lines,
        note=note,
        sections=sections,
        css=(FOLDER / "report.css").read_text(encoding="utf-8"),
        js=script,
        script_hash=f"sha256-{digest}",
    )


def cell(value: float | str | None, column: Column) -> dict[str, Any]:
    """A value's text, and the number it sorts by (none for texts and dashes)."""
    if value is None:
        return {"text": "–", "sort": ""}
    if isinstance(value, str):
        return {"text": value, "sort": ""}
    return {"text": f"{value:,.{column.digits}f}", "sort": repr(float(value))}
