"""Turn the figures of twins into the rows of the report's section."""

from __future__ import annotations

from collections.abc import Mapping

from kofinlaw.scoring.report.labels import baseline_label, system_label
from kofinlaw.scoring.twins.twin_record import TwinsRecord

__all__ = ["twins_context"]


def twins_context(record: TwinsRecord | None) -> Mapping[str, object] | None:
    """Return the pairs and the rows of models, chance and solvers; None without twins."""
    if not record:
        return None
    rows: list[Mapping[str, object]] = [
        {"label": system_label(name), "both": one["both"], "model": one}
        for name, one in record["models"].items()
    ]
    rows.append({"label": ("우연", "chance"), "both": record["chance"], "model": None})
    rows += [
        {"label": baseline_label(name), "both": value, "model": None}
        for name, value in record["solvers"].items()
    ]
    return {"pairs": record["pairs"], "rows": rows}
