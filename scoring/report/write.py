"""The report of a run: one HTML page, the same as Markdown, and its figures as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import write_json, write_text
from kofinlaw.scoring.markdown import report_markdown
from kofinlaw.scoring.report.gather import gather
from kofinlaw.scoring.report.page import render
from kofinlaw.scoring.report.trace_page import anchors_of, trace_entries, trace_page


def write_report(
    run: Path, out: Path, *, recipe: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write out/report.html, report.md and report.json from the run's stage folders.

    Slow and wrong items link to their traces in out/traces.html, where calls were traced. The
    page is self-contained (no network, works from a file) and says which stages are absent.
    `recipe` is the resolved recipe; without it `report/recipe.json` is read where it is there.
    Returns flat figures. Raises UserError where `run` is no folder.
    """
    if not run.is_dir():
        raise UserError("no such run", where=str(run), remedy="name a folder below runs/")
    figures = gather(run, recipe)
    traced = trace_entries(run, list((figures["scores"] or {}).get("systems", ())))
    page = render(figures, run, anchors_of(traced))
    write_json(out / "report.json", figures)
    write_text(out / "report.md", report_markdown(figures))
    write_text(out / "report.html", page)
    if traced:
        write_text(out / "traces.html", trace_page(figures["name"], traced))
    return {
        "outcome": figures["verdict"]["outcome"],
        "missing_stages": len(figures["missing"]),
        "warnings": len(figures["verdict"]["warnings"]),
        "html_bytes": len(page.encode("utf-8")),
    }
