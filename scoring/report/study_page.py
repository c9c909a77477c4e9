"""The retrieval study as a table: JSON, Markdown and a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw import Progress, silent
from kofinlaw.files import write_json, write_text
from kofinlaw.scoring.report.compare_page import Column, comparison_page
from kofinlaw.scoring.report.gather import read_json
from kofinlaw.scoring.result import SCHEMA
from kofinlaw.scoring.study_conclusions import conclude, judge_note

STUDY_SCHEMA = "kofinlaw.study/1"


def write_study(
    run: Path,
    out: Path,
    *,
    cells: Sequence[tuple[str, str, str]],
    name: str = "",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write out/study.json, study.md and study.html from run/score and the cells' stage records.

    `cells` are (system as in the scores, model, retriever), in the table's order. Returns counts.
    """
    scores = json.loads((run / "score" / "scores.json").read_text(encoding="utf-8"))
    assert scores["schema"] == SCHEMA
    rows = [cell_row(run, scores, *cell) for cell in cells]
    conclusions = conclude(rows, scores)
    result = {
        "schema": STUDY_SCHEMA,
        "name": name or run.name,
        "counts": scores["counts"],
        "cells": rows,
        "judge": judge_note(scores),
        "conclusions": [
            {"goal": goal, "ko": words[0], "en": words[1]} for goal, words in conclusions
        ],
        "environment": scores["environment"],
    }
    write_json(out / "study.json", result)
    write_text(out / "study.md", study_markdown(result))
    page = comparison_page(
        title=result["name"],
        columns=[Column(label, label, digits) for label, _, digits in columns_of(rows)],
        rows=[(row["system"], [read(row) for _, read, _ in columns_of(rows)]) for row in rows],
        lines=[words for _, words in conclusions],
        note=(counted(scores, "ko"), counted(scores, "en")),
    )
    write_text(out / "study.html", page)
    progress("study", len(rows), len(rows))
    return {"cells": len(rows), "conclusions": len(conclusions)}


def cell_row(
    run: Path, scores: Mapping[str, Any], system: str, model: str, retriever: str
) -> dict[str, Any]:
    """One line of the table; a figure that there is not is None."""
    one = scores["systems"][system]
    counts = (read_json(run / f"answer-{system}" / "stage.json") or {}).get("counts") or {}
    judged = ((scores.get("judge") or {}).get("criteria")) or {}
    asked = max(1, scores["counts"]["questions"])
    tokens = one["tokens"].get("mean")
    if "model_tokens" in counts:  # the model also retrieves; None where a kill lost the count
        tokens = counts["model_tokens"] and counts["model_tokens"] / asked
    return {
        "system": system,
        "model": model,
        "retriever": retriever,
        "choice": one["choice"],
        "free": one["free"],
        "hit_3": (one["retrieval"] or {}).get("hit_3"),
        "in_context": (one["retrieval"] or {}).get("in_context"),
        "text": {key: one["text"].get(key) for key in ("bleu", "meteor_exact", "rouge1", "rougeL")},
        "judged": {criterion: by_system.get(system) for criterion, by_system in judged.items()},
        "tokens": tokens,
        "p50": one["seconds"].get("p50"),
        "p95": one["seconds"].get("p95"),
    }


def columns_of(
    cells: Sequence[Mapping[str, Any]],
) -> list[tuple[str, Callable[[Mapping[str, Any]], float | None], int]]:
    """(heading, its value, digits after the point) of the table's columns."""

    def share(value: float | None) -> float | None:
        return None if value is None else 100 * value

    def figure(name: str) -> Callable[[Mapping[str, Any]], float | None]:
        return lambda cell: share((cell[name] or {}).get("value"))

    def text(name: str) -> Callable[[Mapping[str, Any]], float | None]:
        return lambda cell: share(cell["text"][name])

    def judged(name: str) -> Callable[[Mapping[str, Any]], float | None]:
        return lambda cell: share(
            (((cell["judged"].get(name) or {}).get("figure")) or {}).get("value")
        )

    criteria = list(dict.fromkeys(name for cell in cells for name in cell["judged"]))
    return [
        ("choice %", figure("choice"), 1),
        ("FSKU free", figure("free"), 1),
        ("BLEU", text("bleu"), 1),
        ("METEOR", text("meteor_exact"), 1),
        ("ROUGE-1", text("rouge1"), 1),
        ("ROUGE-L", text("rougeL"), 1),
        *((f"judged {name}", judged(name), 1) for name in criteria),
        ("hit@3", lambda cell: share(cell["hit_3"]), 1),
        ("gold in prompt", lambda cell: share(cell["in_context"]), 1),
        ("tokens", lambda cell: cell["tokens"], 0),
        ("P50 s", lambda cell: cell["p50"], 2),
        ("P95 s", lambda cell: cell["p95"], 2),
    ]


def study_markdown(result: Mapping[str, Any]) -> str:
    """The study as one page: conclusions first, then the table."""
    cells = result["cells"]
    columns = columns_of(cells)
    lines = [f"# {result['name']}", "", counted(result, "ko"), "", counted(result, "en"), ""]
    for one in result["conclusions"]:
        lines += [f"- **{one['goal']}**: {one['ko']} {one['en']}"]
    lines += ["", "| system | " + " | ".join(name for name, _, _ in columns) + " |"]
    lines.append("| --- |" + " ---: |" * len(columns))
    for cell in cells:
        values = [
            "–" if (value := read(cell)) is None else f"{value:.{digits}f}"
            for _, read, digits in columns
        ]
        lines.append(f"| {cell['system']} | " + " | ".join(values) + " |")
    if result["judge"]:
        lines += ["", result["judge"]["ko"], "", result["judge"]["en"]]
    return "\n".join(lines) + "\n"


def counted(result: Mapping[str, Any], language: str) -> str:
    """How many questions the figures stand on."""
    counts = result["counts"]
    if language == "ko":
        return (
            f"객관식 {counts['choice']}문항, 주관식 {counts['free']}문항. 백분율이며, 토큰은 한 "
            "문항에 모델이 읽고 쓴 것(검색문 쓰기 포함; 검색문을 쓰다 끊겼던 칸은 –), METEOR는 꼭 "
            "같은 형태소만 맞춘 것입니다."
        )
    return (
        f"{counts['choice']} multiple-choice and {counts['free']} free-text questions; percent. "
        "Tokens are what the model read and wrote for a question, queries included (– where a cell "
        "that writes queries was cut off); METEOR matches exact morphemes only."
    )
