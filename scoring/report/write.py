"""Write the report of a run: an HTML page, the same as Markdown, and its figures as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import write_json, write_text
from kofinlaw.scoring.exams.exam_table import exams_markdown
from kofinlaw.scoring.markdown import scores_markdown
from kofinlaw.scoring.report.gather import gather
from kofinlaw.scoring.report.page import render
from kofinlaw.scoring.report.report_record import ReportFigures
from kofinlaw.scoring.report.trace_page import anchors_of, trace_entries, trace_page
from kofinlaw.texts import markdown_text

__all__ = ["ReportResult", "report_markdown", "write_report"]


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The result of `write_report`.

    `outcome` says whether training helped: helped, no-claim, hurt, unclear, none,
    unequal or unknown.
    """

    outcome: str
    missing_stages: int
    warnings: int
    html_bytes: int

    def to_record(self) -> dict[str, object]:
        """Return the figures as `stage.json` keeps them."""
        return asdict(self)


def write_report(
    run: Path, out: Path, *, recipe: Mapping[str, object] | None = None
) -> ReportResult:
    """Write out/report.html, report.md and report.json from the run's stage folders.

    The page is self-contained: it needs no network and opens from a file. It names the stages
    that are absent. If calls were traced, slow and wrong items link to their traces in
    out/traces.html. Raises UserError if `run` is not a folder.

    Args:
        run: the run's folder.
        out: folder for the report.
        recipe: the resolved recipe; None reads `report/recipe.json` of the run, if it exists.
    """
    if not run.is_dir():
        raise UserError("no such run", where=str(run), remedy="name a folder below runs/")
    figures = gather(run, recipe)
    systems = list(figures["scores"]["systems"]) if figures["scores"] else []
    entries = trace_entries(run, systems)
    page = render(figures, run, anchors_of(entries))
    write_json(out / "report.json", figures)
    write_text(out / "report.md", report_markdown(figures))
    write_text(out / "report.html", page)
    if entries:
        write_text(out / "traces.html", trace_page(figures["name"], entries))
    return ReportResult(
        outcome=figures["verdict"]["outcome"],
        missing_stages=len(figures["missing"]),
        warnings=len(figures["verdict"]["warnings"]),
        html_bytes=len(page.encode("utf-8")),
    )


def report_markdown(figures: ReportFigures) -> str:
    """Return the report as Markdown: the verdict first, Korean above English."""
    verdict = figures["verdict"]
    lines = [f"# {markdown_text(figures['name'])}", ""]
    if figures["description"]:
        lines += [*map(markdown_text, figures["description"].split("\n")), ""]
    for language in (verdict["ko"], verdict["en"]):
        lines += [part for line in language for part in (markdown_text(line), "")]
    for warning in verdict["warnings"]:
        lines.append(f"- {markdown_text(warning['ko'])} ({markdown_text(warning['en'])})")
    if figures["missing"]:
        lines.append(
            f"- 없는 단계 (absent stages): {', '.join(map(markdown_text, figures['missing']))}"
        )
    if figures["scores"]:
        page = scores_markdown(figures["scores"])
        lines += ["", page.replace("# Scores", "## 점수 (Scores)", 1).rstrip()]
    if figures["exams"]:
        lines += ["", "## 시험 (Exams)", "", exams_markdown(figures["exams"]).rstrip()]
    lines += [*_model_lines(figures), *_stage_lines(figures), *_environment_lines(figures)]
    return "\n".join(lines) + "\n"


def _model_lines(figures: ReportFigures) -> list[str]:
    """Return a line or two each on training, augmentation and the merge proof."""
    lines = []
    training, augment, merge = figures["training"], figures["augment"], figures["merge"]
    if training and training["points"]:
        first, last = training["points"][0], training["points"][-1]
        lines += ["", "## 학습 (Training)", ""]
        losses = ["–" if loss is None else f"{loss:.4f}" for loss in (first["loss"], last["loss"])]
        lines.append(f"{last['step']} steps; loss {losses[0]} → {losses[1]}")
    if augment:
        lines += ["", "## 증강 (Augmentation)", ""]
        lines.append(f"{augment['kept']} kept, {augment['rejected']} rejected")
        lines += [
            f"- {markdown_text(reason)}: {count}" for reason, count in augment["reasons"].items()
        ]
    if merge:
        lines += [
            "",
            "## 병합 증명 (Merge proof)",
            "",
            f"verdict: {markdown_text(merge.get('verdict'))}",
        ]
    return lines


def _stage_lines(figures: ReportFigures) -> list[str]:
    lines = ["", "## 단계 (Stages)", "", "| stage | seconds | peak GiB | status |"]
    lines.append("| --- | --- | --- | --- |")
    for stage in figures["stages"]:
        cells = (stage["seconds"], stage["peak_memory_gib"], stage["status"])
        shown = " | ".join("–" if cell is None else markdown_text(cell) for cell in cells)
        lines.append(f"| {markdown_text(stage['stage'])} | {shown} |")
    return lines


def _environment_lines(figures: ReportFigures) -> list[str]:
    environment = figures["environment"]
    packages = ", ".join(
        markdown_text(f"{n} {v}") for n, v in environment.get("packages", {}).items()
    )
    lines = ["", "## 환경 (Environment)", ""]
    for name, value in environment.items():
        if name != "packages" and value not in ("", []):
            lines.append(f"- {name}: {markdown_text(value)}")
    return [*lines, f"- packages: {packages}"]
