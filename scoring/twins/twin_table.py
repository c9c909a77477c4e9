"""Write the figures of twin questions as Markdown."""

from __future__ import annotations

from kofinlaw.scoring.twins.twin_record import TwinsRecord
from kofinlaw.texts import markdown_text

__all__ = ["twin_lines"]


def twin_lines(record: TwinsRecord | None) -> list[str]:
    """Return the table as lines of Markdown; empty without twins."""
    if record is None:
        return []
    lines = ["", f"Counterfactual twins ({record['pairs']} pairs)", ""]
    lines += ["| answers | both right % | each right % | same option % |"]
    lines += ["| --- | ---: | ---: | ---: |", f"| chance | {100 * record['chance']:.1f} | – | – |"]
    for model, one in record["models"].items():
        cells = " | ".join(f"{100 * value:.1f}" for value in (one["both"], one["each"]))
        lines.append(f"| {markdown_text(model)} | {cells} | {100 * one['unmoved']:.1f} |")
    for name, value in record["solvers"].items():
        lines.append(f"| *{name}* | {100 * value:.1f} | – | – |")
    return lines
