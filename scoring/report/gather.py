"""What a run's stage folders hold, as one plain dictionary for the report.

Nothing here fails over a stage that is absent or was never begun: the report says so instead.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.scoring.answers import PARTS, number_or_nan, read_timings
from kofinlaw.scoring.environment import environment
from kofinlaw.scoring.report.plots import bins
from kofinlaw.scoring.report.verdict import verdict

SCHEMA = "kofinlaw.report/1"
EXPECTED = ("data", "augment", "train", "merge", "verify", "index", "score")
SAMPLES = 3


def gather(run: Path, recipe: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Every figure of the report (what `report.json` holds), JSON values only."""
    recipe = recipe or read_json(run / "report" / "recipe.json") or {}
    stages = stage_records(run)
    scores = read_json(run / "score" / "scores.json")
    figures: dict[str, Any] = {
        "schema": SCHEMA,
        "name": recipe.get("name") or run.name,
        "description": recipe.get("description", ""),
        "missing": [name for name in EXPECTED if name not in {s["stage"] for s in stages}],
        "stages": stages,
        "scores": scores,
        "training": training(run / "train", recipe),
        "augment": augmentation(run / "augment"),
        "documents": read_json(run / "data" / "card.json"),
        "latency": latency(run, stages, recipe),
        "merge": read_json(run / "verify" / "verify.json"),
        "compliance": read_json(run / "compliance.json"),
        "recipe": dict(recipe),
        "environment": (scores or {}).get("environment") or environment(),
    }
    figures["verdict"] = verdict(figures)
    return plain(figures)


def plain(value: Any) -> Any:
    """The value with numbers that JSON cannot hold (NaN, infinities) as null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, None where the file is absent or broken."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file, none where it is absent or broken."""
    try:
        return [value for _, value in read_json_lines(path)]
    except UserError:
        return []


def stage_records(run: Path) -> list[dict[str, Any]]:
    """Each stage's record in the order of the path."""
    order = ("data", "augment", "questions", "train", "merge", "verify", "index", "export")
    last = ("submission", "score", "report")
    found = {path.parent.name: path for path in run.glob("*/stage.json")}
    names = [n for n in order if n in found]
    names += sorted(n for n in found if n not in order and n not in last)
    names += [n for n in last[:2] if n in found]
    out = []
    for name in names:
        record = read_json(found[name]) or {}
        if not name.startswith("."):
            keys = ("status", "seconds", "peak_memory_gib", "fingerprint", "counts")
            out.append({"stage": name, **{key: record.get(key) for key in keys}})
    return out


def training(folder: Path, recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """Loss by step, lengths and what the training stage counted; None without metrics."""
    points = [
        {
            "step": row["step"],
            "loss": finite(row.get("loss")),
            "eval_loss": finite(row.get("evaluation_loss")),
        }
        for row in rows_of(folder / "metrics.jsonl")
        if isinstance(row.get("step"), int)
    ]
    lengths = read_json(folder / "lengths.json")
    record = read_json(folder / "stage.json") or {}
    if not points and lengths is None:
        return None
    return {
        "points": points,
        "lengths": lengths,
        "counts": record.get("counts") or {},
        "max_length": (recipe.get("train") or {}).get("max_length"),
        "first_example": read_text(folder / "first_example.txt", 4000),
    }


def finite(value: Any) -> float | None:
    """A finite number, else None."""
    number = number_or_nan(value)
    return number if math.isfinite(number) else None


def read_text(path: Path, most: int) -> str:
    """The opening of a text file, empty where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read(most)
    except OSError:
        return ""


def augmentation(folder: Path) -> dict[str, Any] | None:
    """Kept and rejected examples by kind and reason, with samples of each; None if not run."""
    if not folder.exists():
        return None
    examples, rejected = rows_of(folder / "examples.jsonl"), rows_of(folder / "rejected.jsonl")
    card = read_json(folder / "card.json")
    if not examples and not rejected and card is None:
        return None
    generators = Counter(str((row.get("provenance") or {}).get("generator")) for row in examples)
    return {
        "kept": len(examples),
        "rejected": len(rejected),
        "generators": dict(generators.most_common()),
        "tasks": dict(Counter(str(row.get("task")) for row in examples).most_common()),
        "reasons": dict(Counter(str(row.get("reason")) for row in rejected).most_common()),
        "samples": [sample_of(row) for row in first_of_each(examples, "task")],
        "funnel": funnel(folder.parent, card or {}, len(examples)),
        "rejected_samples": [
            {"reason": row.get("reason"), "detail": row.get("detail"), "record": cut(row, "record")}
            for row in first_of_each(rejected, "reason")
        ],
        "card": card,
    }


def funnel(run: Path, card: Mapping[str, Any], examples: int) -> list[tuple[str, int]]:
    """(what, how many) from documents to examples, as far as the cards tell."""
    documents = read_json(run / "data" / "card.json") or {}
    steps = [(name, documents.get(name)) for name in ("documents", "articles", "chunks")]
    possible = card.get("possible")
    steps.append(("drafts", sum(possible.values()) if isinstance(possible, dict) else None))
    for name in ("train", "examples", "heldout"):
        part = examples if name == "examples" else card.get(name)
        steps.append((name, part.get("items") if isinstance(part, dict) else part))
    return [(name, count) for name, count in steps if isinstance(count, int)]


def first_of_each(rows: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    """The first row of each value of a field, a few of them."""
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(str(row.get(field)), row)
    return list(first.values())[: 2 * SAMPLES]


def cut(row: Mapping[str, Any], field: str, most: int = 600) -> str:
    """A field as text of at most `most` characters."""
    text = str(row.get(field) or "")
    return text if len(text) <= most else text[:most] + "…"


def sample_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """An example as the report shows it."""
    provenance = row.get("provenance") or {}
    return {
        "id": row.get("id"),
        "task": row.get("task"),
        "generator": provenance.get("generator"),
        "chunks": provenance.get("chunks") or [],
        "messages": [
            {"role": str(m.get("role")), "content": cut(m, "content", 1200)}
            for m in row.get("messages") or []
        ],
    }


def latency(
    run: Path, stages: list[dict[str, Any]], recipe: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Cumulative seconds by system, where the plan changed, and the budget; None without times."""
    curves, changes, parts = {}, {}, {}
    for folder in sorted(run.glob("answer-*")):
        name = folder.name.removeprefix("answer-")
        seconds, rows = read_timings(folder / "timings.jsonl")
        if not seconds:
            continue
        total, curve = 0.0, []
        for value in seconds.values():
            total += value
            curve.append(round(total, 3))
        plans = [str(row.get("plan") or "") for row in rows if row.get("id") in seconds]
        curves[name] = curve
        changes[name] = [i for i in range(1, len(plans)) if plans[i] != plans[i - 1]]
        parts[name] = part_means(rows)
    if not curves:
        return None
    budget = (recipe.get("answer") or {}).get("budget_minutes")
    counts = {
        stage["stage"].removeprefix("answer-"): stage["counts"]
        for stage in stages
        if stage["stage"].startswith("answer-") and stage["counts"]
    }
    return {
        "curves": curves,
        "changes": changes,
        "parts": parts,
        "budget_seconds": 60 * budget if budget else None,
        "counts": counts,
    }


def part_means(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Mean seconds of each part of a question (retrieve, prefill, decode …)."""
    sums: dict[str, float] = {}
    for row in rows:
        given = row["seconds"] if isinstance(row.get("seconds"), dict) else row
        for name in PARTS:
            number = finite(given.get(name))
            if number is not None:
                sums[name] = sums.get(name, 0.0) + number
    return {name: value / len(rows) for name, value in sums.items()}


def lengths_histogram(lengths: Mapping[str, Any]) -> tuple[list[float], list[int]]:
    """Edges and counts of `lengths.json`, whichever of its forms it has."""
    histogram = lengths.get("histogram")
    if isinstance(histogram, dict) and histogram.get("edges"):
        return list(histogram["edges"]), list(histogram["counts"])
    values = lengths.get("lengths")
    return bins([float(v) for v in values]) if isinstance(values, list) else ([0.0, 1.0], [0])
