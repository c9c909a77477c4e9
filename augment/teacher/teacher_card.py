"""Describe a teacher in the data card: the model, its licence, and how many outputs passed."""

from __future__ import annotations

import json
from collections import Counter
from typing import TypedDict

from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.synthesis import Synthesis
from kofinlaw.texts import markdown_text

__all__ = ["TeacherFigures", "funnel_table", "teacher_figures"]


class TeacherFigures(TypedDict):
    """The teacher's part of `card.json`."""

    model: str
    revision: str
    license: str
    engine: str
    requests: int
    tokens: int
    damaged_ledger_lines: list[int]
    funnel: dict[str, dict[str, int]]
    refused: dict[str, dict[str, int]]


def teacher_figures(synthesis: Synthesis, settings: TeacherSettings) -> TeacherFigures:
    """Return the model, its licence, and by task how many outputs passed each check in turn."""
    reasons: dict[str, Counter[str]] = {task: Counter() for task in synthesis.funnel}
    for rejected in synthesis.rejected:
        reasons.setdefault(json.loads(rejected.record)["task"], Counter())[rejected.reason] += 1
    licenses = {example.provenance["teacher_license"] for example in synthesis.examples}
    return {
        "model": settings.model.id,
        "revision": settings.model.revision or "",
        "license": " ".join(sorted(licenses)),
        "engine": settings.engine.engine,
        "requests": synthesis.requests,
        "tokens": synthesis.tokens,
        "damaged_ledger_lines": list(synthesis.damaged_lines),
        "funnel": synthesis.funnel,
        "refused": {task: dict(sorted(counts.items())) for task, counts in reasons.items()},
    }


def funnel_table(teacher: TeacherFigures) -> list[str]:
    """Return the lines of a Markdown table with a row for each check and a column for each task."""
    passed = teacher["funnel"]
    steps = list(dict.fromkeys(step for counts in passed.values() for step in counts))
    steps = [step for step in steps if step != "accepted"] + ["accepted"]
    licence = teacher["license"] or "unknown"
    return [
        "## Teacher",
        "",
        f"{markdown_text(teacher['model'])} ({markdown_text(licence)}), "
        f"engine {teacher['engine']}: "
        f"{teacher['requests']} requests, {teacher['tokens']} tokens. What passed each check:",
        "",
        "| check | " + " | ".join(passed) + " |",
        "| --- | " + "---: | " * len(passed),
        *(
            f"| {step} | "
            + " | ".join(str(counts.get(step, 0)) for counts in passed.values())
            + " |"
            for step in steps
        ),
        "",
    ]
