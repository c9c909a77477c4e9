"""The teacher's part of the data card: who wrote, under what licence, and the funnel of checks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kofinlaw.augment.settings import TeacherSettings

if TYPE_CHECKING:
    from kofinlaw.augment.teacher.write import Taught


def figures(taught: Taught, settings: TeacherSettings) -> dict[str, Any]:
    """Who wrote, under what licence, and how many outputs passed each check in turn."""
    reasons: dict[str, Counter[str]] = {task: Counter() for task in taught.funnel}
    for rejected in taught.rejected:
        reasons[json.loads(rejected.record)["task"]][rejected.reason] += 1
    licenses = {example.provenance["teacher_license"] for example in taught.examples}
    return {
        "model": settings.model.id,
        "revision": settings.model.revision or "",
        "license": " ".join(sorted(licenses)),
        "engine": settings.engine.engine,
        "requests": taught.requests,
        "tokens": taught.tokens,
        "damaged_ledger_lines": list(taught.damaged_lines),
        "funnel": taught.funnel,
        "refused": {task: dict(sorted(counts.items())) for task, counts in reasons.items()},
    }


def funnel(teacher: Mapping[str, Any]) -> list[str]:
    """The funnel as a table: a row a check, a column a task."""
    passed = teacher["funnel"]
    steps = list(dict.fromkeys(step for counts in passed.values() for step in counts))
    steps = [step for step in steps if step != "accepted"] + ["accepted"]
    licence = teacher["license"] or "unknown"
    return [
        "## Teacher",
        "",
        f"{teacher['model']} ({licence}), engine {teacher['engine']}: "
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
