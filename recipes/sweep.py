"""A grid over recipe keys, one folder a point, and the table of what came out."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kofinlaw import UserError

Point = tuple[tuple[str, str], ...]


def grid(over: Sequence[str]) -> list[Point]:
    """Every combination of `KEY=a,b` axes, in the order given.

    Raises UserError for an axis without a key or without values.
    """
    axes = []
    for axis in over:
        key, equals, values = axis.partition("=")
        choices = [value.strip() for value in values.split(",") if value.strip()]
        if not equals or not key or not choices:
            raise UserError(
                "an axis has the form KEY=a,b,c",
                where=f"--over {axis}",
                remedy="for example --over train.lora.rank=8,16,32",
            )
        axes.append([(key.strip(), value) for value in choices])
    return [tuple(point) for point in itertools.product(*axes)]


def point_name(point: Point) -> str:
    """A folder name for a point: `rank=8,learning_rate=1e-4`."""
    parts = [f"{key.rpartition('.')[2]}={value}" for key, value in point]
    return re.sub(r"[^A-Za-z0-9=.,_-]", "_", ",".join(parts))


def sweep_table(rows: Sequence[tuple[Point, Path]], failures: Sequence[str]) -> list[str]:
    """A Markdown table: one line a point, its keys and the figures of its stages."""
    if not rows:
        return ["no point finished", *failures]
    keys = [key for key, _ in rows[0][0]]
    figures = ["final loss", "minutes", "peak GiB", "trained + RAG accuracy"]
    lines = ["| " + " | ".join([*keys, *figures]) + " |", "|" + "---|" * (len(keys) + len(figures))]
    for point, folder in rows:
        values = [value for _, value in point] + [str(value) for value in _figures(folder)]
        lines.append("| " + " | ".join(values) + " |")
    return lines + [f"failed: {failure}" for failure in failures]


def _figures(folder: Path) -> list[Any]:
    from kofinlaw.recipes.runner import read_record

    train = read_record(folder / "train")
    counts = train.get("counts", {})
    loss = counts.get("loss_last")
    accuracy: Any = "–"
    try:
        scores = json.loads((folder / "score" / "scores.json").read_text(encoding="utf-8"))
        accuracy = scores["systems"]["trained-rag"]["choice"]["value"]
        accuracy = f"{accuracy:.3f}"
    except (OSError, ValueError, KeyError, TypeError):
        pass
    minutes = round(float(train.get("seconds", 0.0)) / 60, 1)
    return [
        f"{loss:.3f}" if isinstance(loss, float) else "–",
        minutes,
        train.get("peak_memory_gib", "–"),
        accuracy,
    ]
