"""Write the table of a retrieval study as JSON, Markdown and an HTML page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from kofinlaw import Progress, silent
from kofinlaw.files import write_json, write_text
from kofinlaw.scoring.report.compare_page import (
    Column,
    comparison_page,
    percent,
    value_percent,
)
from kofinlaw.scoring.report.labels import CRITERIA, system_label
from kofinlaw.scoring.scores_record import (
    SCHEMA,
    CountsRecord,
    EnvironmentRecord,
    ScoresRecord,
)
from kofinlaw.scoring.study_conclusions import Cell, conclude, judge_note
from kofinlaw.scoring.value_text import Words
from kofinlaw.texts import markdown_text
from kofinlaw.tolerant_files import read_json

__all__ = [
    "COLUMN_WORDS",
    "STUDY_SCHEMA",
    "Conclusion",
    "JudgeNote",
    "StudyColumn",
    "StudyRecord",
    "StudyResult",
    "cell_row",
    "column_words",
    "columns_of",
    "counted",
    "study_markdown",
    "write_study",
]

STUDY_SCHEMA = "kofinlaw.study/1"
# A heading, the function that reads its value from a cell, and the decimal digits.
StudyColumn = tuple[str, Callable[[Cell], float | None], int]

COLUMN_WORDS: dict[str, Words] = {
    "choice %": ("객관식 %", "Multiple choice %"),
    "FSKU free": ("주관식 (FSKU)", "Free text (FSKU)"),
    "gold in prompt": ("프롬프트 안 정답 조문", "Gold in prompt"),
    "tokens": ("문항당 토큰", "Tokens per question"),
    "P50 s": ("p50, 초", "p50, s"),
    "P95 s": ("p95, 초", "p95, s"),
}


class Conclusion(TypedDict):
    """The conclusion of the study for one goal."""

    goal: str
    ko: str
    en: str


class JudgeNote(TypedDict):
    """A note on the reliability of the judge."""

    ko: str
    en: str


class StudyRecord(TypedDict):
    """The content of study.json."""

    schema: str
    name: str
    counts: CountsRecord
    cells: list[Cell]
    judge: JudgeNote | None
    conclusions: list[Conclusion]
    environment: EnvironmentRecord


@dataclass(frozen=True, slots=True)
class StudyResult:
    """How many cells the study has, and how many conclusions were drawn."""

    cells: int
    conclusions: int

    def to_record(self) -> dict[str, object]:
        """Return the counts as `stage.json` keeps them."""
        return asdict(self)


def write_study(
    run: Path,
    out: Path,
    *,
    cells: Sequence[tuple[str, str, str]],
    name: str = "",
    progress: Progress = silent,
) -> StudyResult:
    """Write out/study.json, study.md and study.html from run/score and the cells' stage records.

    Args:
        run: the run's folder, already scored.
        out: folder for the study.
        cells: (system as in the scores, model, retriever), in the order of the table.
        name: title of the study; empty is the name of the run's folder.
        progress: is called once all cells are written.
    """
    scores: ScoresRecord = json.loads((run / "score" / "scores.json").read_text(encoding="utf-8"))
    assert scores["schema"] == SCHEMA
    rows = [cell_row(run, scores, *cell) for cell in cells]
    conclusions = conclude(rows, scores)
    note = judge_note(scores.get("judge"))
    result: StudyRecord = {
        "schema": STUDY_SCHEMA,
        "name": name or run.name,
        "counts": scores["counts"],
        "cells": rows,
        "judge": {"ko": note[0], "en": note[1]} if note else None,
        "conclusions": [
            {"goal": goal, "ko": words[0], "en": words[1]} for goal, words in conclusions
        ],
        "environment": scores["environment"],
    }
    write_json(out / "study.json", result)
    write_text(out / "study.md", study_markdown(result))
    page = comparison_page(
        title=result["name"],
        columns=[Column(*column_words(label), digits) for label, _, digits in columns_of(rows)],
        rows=[
            (system_label(row["system"]), [read(row) for _, read, _ in columns_of(rows)])
            for row in rows
        ],
        lines=[words for _, words in conclusions],
        note=counted(scores["counts"]),
    )
    write_text(out / "study.html", page)
    progress("study", len(rows), len(rows))
    return StudyResult(cells=len(rows), conclusions=len(conclusions))


def cell_row(run: Path, scores: ScoresRecord, system: str, model: str, retriever: str) -> Cell:
    """Return one row of the table."""
    one = scores["systems"][system]
    counts = (read_json(run / f"answer-{system}" / "stage.json") or {}).get("counts") or {}
    judge, found = scores.get("judge"), one["retrieval"]
    asked = max(1, scores["counts"]["questions"])
    tokens: float | None = one["tokens"].get("mean")
    if "model_tokens" in counts:  # the model also retrieves; None if a kill lost the count
        tokens = counts["model_tokens"] and counts["model_tokens"] / asked
    return {
        "system": system,
        "model": model,
        "retriever": retriever,
        "choice": one["choice"],
        "free": one["free"],
        "hit_3": found["hit_3"] if found else None,
        "in_context": found.get("in_context") if found else None,
        "text": {key: one["text"].get(key) for key in ("bleu", "meteor_exact", "rouge1", "rougeL")},
        "judged": {
            criterion: by_system.get(system)
            for criterion, by_system in (judge["criteria"].items() if judge else ())
        },
        "tokens": tokens,
        "p50": one["seconds"].get("p50"),
        "p95": one["seconds"].get("p95"),
    }


def columns_of(cells: Sequence[Cell]) -> list[StudyColumn]:
    """Return the columns of the table; there is one for each criterion of the judge."""

    def text(name: str) -> Callable[[Cell], float | None]:
        return lambda cell: percent(cell["text"][name])

    def judged(name: str) -> Callable[[Cell], float | None]:
        def value(cell: Cell) -> float | None:
            found = cell["judged"].get(name)
            return value_percent(found["figure"]) if found else None

        return value

    criteria = list(dict.fromkeys(name for cell in cells for name in cell["judged"]))
    return [
        ("choice %", lambda cell: value_percent(cell["choice"]), 1),
        ("FSKU free", lambda cell: value_percent(cell["free"]), 1),
        ("BLEU", text("bleu"), 1),
        ("METEOR", text("meteor_exact"), 1),
        ("ROUGE-1", text("rouge1"), 1),
        ("ROUGE-L", text("rougeL"), 1),
        *((f"judged {name}", judged(name), 1) for name in criteria),
        ("hit@3", lambda cell: percent(cell["hit_3"]), 1),
        ("gold in prompt", lambda cell: percent(cell["in_context"]), 1),
        ("tokens", lambda cell: cell["tokens"], 0),
        ("P50 s", lambda cell: cell["p50"], 2),
        ("P95 s", lambda cell: cell["p95"], 2),
    ]


def column_words(name: str) -> Words:
    """Return the heading of a column in Korean and English; measures keep their names."""
    if name.startswith("judged "):
        criterion = name.removeprefix("judged ")
        return f"심판: {CRITERIA.get(criterion, criterion)}", name
    return COLUMN_WORDS.get(name, (name, name))


def study_markdown(result: StudyRecord) -> str:
    """Return the study as a page: conclusions first, then the table."""
    cells = result["cells"]
    columns = columns_of(cells)
    korean, english = counted(result["counts"])
    lines = [f"# {markdown_text(result['name'])}", "", korean, "", english, ""]
    for one in result["conclusions"]:
        lines += [
            f"- **{markdown_text(one['goal'])}**: "
            f"{markdown_text(one['ko'])} {markdown_text(one['en'])}"
        ]
    lines += ["", "| system | " + " | ".join(markdown_text(name) for name, _, _ in columns) + " |"]
    lines.append("| --- |" + " ---: |" * len(columns))
    for cell in cells:
        values = [
            "–" if (value := read(cell)) is None else f"{value:.{digits}f}"
            for _, read, digits in columns
        ]
        lines.append(f"| {markdown_text(cell['system'])} | " + " | ".join(values) + " |")
    if result["judge"]:
        judge = result["judge"]
        lines += ["", markdown_text(judge["ko"]), "", markdown_text(judge["en"])]
    return "\n".join(lines) + "\n"


def counted(counts: CountsRecord) -> Words:
    """Return the number of questions, and what the columns mean."""
    return (
        f"객관식 {counts['choice']}문항, 주관식 {counts['free']}문항. 점수는 백분율입니다. 토큰은 "
        "문항마다 모델이 읽고 쓴 수이며 검색문 작성도 포함합니다(검색문을 쓰다 중단된 칸은 –). "
        "METEOR는 정확히 같은 형태소만 비교합니다.",
        f"{counts['choice']} multiple-choice and {counts['free']} free-text questions; scores "
        "are in percent. Tokens are what the model read and wrote per question, including search "
        "queries (– for a cell that writes queries and was interrupted). METEOR matches exact "
        "morphemes only.",
    )
