"""Runs side by side as one HTML page: every system's figures, paired tests, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.scoring.compare import changed_settings, distinct_names, pair_rows, read_run
from kofinlaw.scoring.report.compare_page import Column, Words, comparison_page
from kofinlaw.scoring.settings import ScoreSettings

COLUMNS = (
    Column("객관식 %", "Multiple choice %"),
    Column("주관식", "Free text"),
    Column("종합", "Blend"),
    Column("hit@3 %", "hit@3 %"),
    Column("프롬프트 안 정답 조문 %", "Gold in prompt %"),
    Column("P50 초", "P50 s", 2),
    Column("P95 초", "P95 s", 2),
    Column("문항당 토큰", "Tokens a question", 0),
)


def runs_page(runs: Sequence[Path]) -> str:
    """The page for two or more scored runs; every run is compared with the first.

    Raises UserError for fewer than two runs, or one that has not been scored.
    """
    if len(runs) < 2:
        raise UserError("a comparison takes two or more runs", remedy="name runs/A runs/B")
    results = [read_run(run) for run in runs]
    names = distinct_names(runs)
    rows = [
        (f"{name} · {system}", figures(one))
        for name, (result, _) in zip(names, results, strict=True)
        for system, one in result["systems"].items()
    ]
    sections: list[tuple[Words, list[list[str]]]] = []
    for name, run, (result, items) in list(zip(names, runs, results, strict=True))[1:]:
        both = f"{names[0]} → {name}"
        tests = pair_rows(results[0][1], items, ScoreSettings(**result["settings"]))
        sections.append(((f"{both}: 같은 문항으로", f"{both}: on the same items"), tests))
        changed = [list(row) for row in changed_settings(runs[0], run)]
        head = ["setting", names[0], name]
        sections.append(((f"{both}: 달라진 설정", f"{both}: what changed"), [head, *changed]))
    return comparison_page(
        title=" · ".join(names),
        columns=COLUMNS,
        rows=rows,
        note=("점수는 백분율입니다.", "Scores are percent."),
        sections=sections,
    )


def figures(one: Mapping[str, Any]) -> list[float | None]:
    """A system's value for each of COLUMNS."""
    found = one["retrieval"] or {}

    def share(value: float | None) -> float | None:
        return None if value is None else 100 * value

    return [
        *(share((one[part] or {}).get("value")) for part in ("choice", "free", "blend")),
        share(found.get("hit_3")),
        share(found.get("in_context")),
        one["seconds"].get("p50"),
        one["seconds"].get("p95"),
        one["tokens"].get("mean"),
    ]
