"""Render a page that compares runs: every system's figures, paired tests, changed settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.scoring.compare import changed_settings, distinct_names, pair_rows, read_run
from kofinlaw.scoring.report.compare_page import (
    Column,
    comparison_page,
    percent,
    value_percent,
)
from kofinlaw.scoring.scores_record import SystemRecord
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.value_text import Words

__all__ = ["COLUMNS", "figures", "runs_page"]

COLUMNS = (
    Column("객관식 %", "Multiple choice %"),
    Column("주관식", "Free text"),
    Column("종합", "Blend"),
    Column("hit@3 %", "hit@3 %"),
    Column("프롬프트 안 정답 조문 %", "Gold in prompt %"),
    Column("P50 초", "P50 s", 2),
    Column("P95 초", "P95 s", 2),
    Column("문항당 토큰", "Tokens per question", 0),
)


def runs_page(runs: Sequence[Path]) -> str:
    """Return the page for two or more scored runs; every run is compared with the first one.

    Raises UserError for fewer than two runs, or for a run that has not been scored.
    """
    if len(runs) < 2:
        raise UserError("a comparison needs two or more runs", remedy="name runs/A runs/B")
    results = [read_run(run) for run in runs]
    names = distinct_names(runs)
    rows = [
        (f"{name} · {system}", figures(one))
        for name, (result, _) in zip(names, results, strict=True)
        for system, one in result["systems"].items()
    ]
    sections: list[tuple[Words, list[list[str]]]] = []
    for name, run, (result, items) in list(zip(names, runs, results, strict=True))[1:]:
        pair = f"{names[0]} → {name}"
        tests = pair_rows(results[0][1], items, ScoreSettings(**result["settings"]))
        sections.append(((f"{pair}: 같은 문항 비교", f"{pair}: on the same items"), tests))
        changed = [list(row) for row in changed_settings(runs[0], run)]
        head = ["setting", names[0], name]
        sections.append(((f"{pair}: 달라진 설정", f"{pair}: changed settings"), [head, *changed]))
    return comparison_page(
        title=" · ".join(names),
        columns=COLUMNS,
        rows=rows,
        note=("점수는 백분율입니다.", "Scores are in percent."),
        sections=sections,
    )


def figures(system: SystemRecord) -> list[float | None]:
    """Return a system's value for each of COLUMNS."""
    found = system["retrieval"]
    return [
        value_percent(system["choice"]),
        value_percent(system["free"]),
        value_percent(system["blend"]),
        100 * found["hit_3"] if found else None,
        percent(found.get("in_context")) if found else None,
        system["seconds"].get("p50"),
        system["seconds"].get("p95"),
        system["tokens"].get("mean"),
    ]
