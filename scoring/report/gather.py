"""Collect what a run's stage folders hold into the figures of the report.

A stage that is absent or unfinished is not an error: the report says that it is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from kofinlaw.files import stage_folders
from kofinlaw.scoring.answers import PARTS, read_timings
from kofinlaw.scoring.compare import require_schema
from kofinlaw.scoring.exams.exam_record import ExamsRecord
from kofinlaw.scoring.provenance import environment
from kofinlaw.scoring.report.plots import bins
from kofinlaw.scoring.report.report_record import (
    AugmentFigures,
    ExampleSample,
    LatencyFigures,
    MergeFigures,
    ReportFigures,
    StageRow,
    TrainingFigures,
)
from kofinlaw.scoring.report.sections.floor_section import read_floor
from kofinlaw.scoring.report.verdict import verdict
from kofinlaw.scoring.scores_record import ScoresRecord
from kofinlaw.stage_names import (
    FIRST_STAGES,
    LAST_STAGES,
    MAIN_STAGES,
    REPORT_STAGE,
    TRAINING_STAGES,
)
from kofinlaw.tolerant_files import (
    finite_number,
    finite_values,
    read_json,
    read_opening,
    read_rows,
    shorten,
)

__all__ = [
    "FIRST_EXAMPLE_CHARACTERS",
    "MOST_SAMPLES",
    "REJECTED_CHARACTERS",
    "SAMPLE_CHARACTERS",
    "SCHEMA",
    "augment_figures",
    "gather",
    "latency_figures",
    "lengths_histogram",
    "stage_rows",
    "training_figures",
]

SCHEMA = "kofinlaw.report/1"
MOST_SAMPLES = 6
SAMPLE_CHARACTERS = 1200  # of a message
REJECTED_CHARACTERS = 4000  # of a rejected record
FIRST_EXAMPLE_CHARACTERS = 4000


def gather(run: Path, recipe: Mapping[str, object] | None = None) -> ReportFigures:
    """Return every figure of the report, as JSON values.

    `recipe` is the resolved recipe; None reads `report/recipe.json` if there is one. Raises
    UserError if the scores have another schema.
    """
    recipe = finite_values(recipe) or read_json(run / "report" / "recipe.json") or {}
    stages = stage_rows(run)
    scores = cast("ScoresRecord | None", read_json(run / "score" / "scores.json"))
    if scores is not None:
        require_schema(scores, run)
    merge = cast("MergeFigures | None", read_json(run / "verify" / "verify.json"))
    return {
        "schema": SCHEMA,
        "name": str(recipe.get("name") or run.name),
        "description": str(recipe.get("description") or ""),
        "missing": [name for name in _expected(recipe) if name not in {s["stage"] for s in stages}],
        "stages": stages,
        "scores": scores,
        "exams": cast("ExamsRecord | None", read_json(run / "exams" / "exams.json")),
        "training": training_figures(run / "train", recipe),
        "augment": augment_figures(run / "augment"),
        "documents": read_json(run / "data" / "card.json"),
        "floor": read_floor(run),
        "latency": latency_figures(run, stages, recipe),
        "merge": merge,
        "compliance": read_json(run / "compliance.json"),
        "recipe": dict(recipe),
        "environment": (scores and scores.get("environment")) or environment(),
        "verdict": verdict(scores, merge, tested=_is_tested(recipe)),
    }


def _expected(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the stages that a recipe should have; an unknown recipe has all of them."""
    expected: tuple[str, ...] = MAIN_STAGES
    if recipe.get("ask_only"):
        expected = tuple(n for n in expected if n not in TRAINING_STAGES)
    if not _is_tested(recipe):
        expected = tuple(name for name in expected if name != "score")
    return expected


def _is_tested(recipe: Mapping[str, Any]) -> bool:
    """Return whether a recipe measures its answers; an unknown recipe does."""
    evaluate = recipe.get("evaluate")
    if not isinstance(evaluate, dict):
        return True
    return any(evaluate.get(key) for key in ("questions", "heldout", "twins", "exam"))


def stage_rows(run: Path) -> list[StageRow]:
    """Return the finished stages in the order of a run."""
    found = {folder.name: folder / "stage.json" for folder in stage_folders(run)}
    middle = sorted(n for n in found if n not in (*FIRST_STAGES, *LAST_STAGES, REPORT_STAGE))
    names = [*(n for n in FIRST_STAGES if n in found), *middle]
    names += [n for n in LAST_STAGES if n in found]
    rows: list[StageRow] = []
    for name in names:
        record = read_json(found[name]) or {}
        rows.append(
            {
                "stage": name,
                "status": record.get("status"),
                "seconds": record.get("seconds"),
                "peak_memory_gib": record.get("peak_memory_gib"),
                "fingerprint": record.get("fingerprint"),
                "counts": record.get("counts"),
            }
        )
    return rows


def training_figures(folder: Path, recipe: Mapping[str, object]) -> TrainingFigures | None:
    """Return loss by step, lengths and counts of the training stage; None without metrics."""
    rows = [row for row in read_rows(folder / "metrics.jsonl") if isinstance(row.get("step"), int)]
    lengths = read_json(folder / "lengths.json")
    record = read_json(folder / "stage.json") or {}
    if not rows and lengths is None:
        return None
    return {
        "points": [
            {
                "step": row["step"],
                "loss": finite_number(row.get("loss")),
                "eval_loss": finite_number(row.get("evaluation_loss")),
                "accuracy": finite_number(row.get("choice_accuracy")),
                "eval_accuracy": finite_number(row.get("evaluation_accuracy")),
            }
            for row in rows
        ],
        "lengths": lengths,
        "counts": record.get("counts") or {},
        "max_length": _section(recipe, "train").get("max_length"),
        "first_example": read_opening(folder / "first_example.txt", FIRST_EXAMPLE_CHARACTERS),
    }


def augment_figures(folder: Path) -> AugmentFigures | None:
    """Return kept and rejected examples by kind and reason, with samples; None if not run."""
    if not folder.exists():
        return None
    examples = read_rows(folder / "examples.jsonl")
    rejected = read_rows(folder / "rejected.jsonl")
    card = read_json(folder / "card.json")
    if not examples and not rejected and card is None:
        return None
    generators = Counter(str(_section(row, "provenance").get("generator")) for row in examples)
    return {
        "kept": len(examples),
        "rejected": len(rejected),
        "generators": dict(generators.most_common()),
        "tasks": dict(Counter(str(row.get("task")) for row in examples).most_common()),
        "reasons": dict(Counter(str(row.get("reason")) for row in rejected).most_common()),
        "samples": [_example_sample(row) for row in _first_of_each(examples, "task")],
        "funnel": _funnel(folder.parent, card or {}, len(examples)),
        "rejected_samples": [
            {
                "reason": row.get("reason"),
                "detail": row.get("detail"),
                "record": shorten(row.get("record"), REJECTED_CHARACTERS),
            }
            for row in _first_of_each(rejected, "reason")
        ],
        "card": card,
    }


def latency_figures(
    run: Path, stages: Sequence[StageRow], recipe: Mapping[str, object]
) -> LatencyFigures | None:
    """Return times by system, the questions where the plan changed, and the time budget.

    None if no answer was timed.
    """
    curves: dict[str, list[float]] = {}
    changes: dict[str, list[int]] = {}
    parts: dict[str, dict[str, float]] = {}
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
        parts[name] = _part_means(rows)
    if not curves:
        return None
    budget = _section(recipe, "answer").get("budget_minutes")
    return {
        "curves": curves,
        "changes": changes,
        "parts": parts,
        "budget_seconds": 60 * budget if budget else None,
        "counts": {
            stage["stage"].removeprefix("answer-"): stage["counts"]
            for stage in stages
            if stage["stage"].startswith("answer-") and stage["counts"]
        },
    }


def lengths_histogram(lengths: Mapping[str, object]) -> tuple[list[float], list[int]]:
    """Return edges and counts of `lengths.json`, which holds a histogram or the lengths."""
    histogram, values = lengths.get("histogram"), lengths.get("lengths")
    if isinstance(histogram, dict) and histogram.get("edges"):
        return list(histogram["edges"]), list(histogram["counts"])
    return bins([float(v) for v in values]) if isinstance(values, list) else ([0.0, 1.0], [0])


def _section(record: Mapping[str, object], name: str) -> dict[str, Any]:
    """Return an object inside a record; empty if it is absent or something else."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _first_of_each(rows: Sequence[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    """Return the first row for each value of a field, at most MOST_SAMPLES rows."""
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(str(row.get(field)), row)
    return list(first.values())[:MOST_SAMPLES]


def _example_sample(row: Mapping[str, Any]) -> ExampleSample:
    provenance = _section(row, "provenance")
    return {
        "id": row.get("id"),
        "task": row.get("task"),
        "generator": provenance.get("generator"),
        "chunks": provenance.get("chunks") or [],
        "messages": [
            {
                "role": str(message.get("role")),
                "content": shorten(message.get("content"), SAMPLE_CHARACTERS),
            }
            for message in row.get("messages") or []
        ],
    }


def _funnel(run: Path, card: Mapping[str, object], examples: int) -> list[tuple[str, int]]:
    """Return (kind, count) from documents to examples, as far as the cards record them."""
    documents = read_json(run / "data" / "card.json") or {}
    steps = [(name, documents.get(name)) for name in ("documents", "articles", "chunks")]
    possible = card.get("possible")
    steps.append(("drafts", sum(possible.values()) if isinstance(possible, dict) else None))
    for name in ("train", "examples", "heldout", "heldout_free"):
        part = examples if name == "examples" else card.get(name)
        steps.append((name, part.get("items") if isinstance(part, dict) else part))
    return [(name, count) for name, count in steps if isinstance(count, int)]


def _part_means(rows: Sequence[dict[str, object]]) -> dict[str, float]:
    """Return the mean seconds of each part of a question: retrieve, prefill, decode and so on."""
    sums: dict[str, float] = {}
    for row in rows:
        seconds = row["seconds"] if isinstance(row.get("seconds"), dict) else row
        assert isinstance(seconds, dict)
        for name in PARTS:
            number = finite_number(seconds.get(name))
            if number is not None:
                sums[name] = sums.get(name, 0.0) + number
    return {name: value / len(rows) for name, value in sums.items()}
