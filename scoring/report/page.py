"""Render the report as one HTML page: the gathered figures, the items and the plots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kofinlaw.scoring.claims import unequal_plans
from kofinlaw.scoring.exams.exam_table import exam_notes, shown_rows, shown_slices, untested
from kofinlaw.scoring.report.item_rows import Anchors, item_rows
from kofinlaw.scoring.report.labels import (
    SECTIONS,
    pair_label,
    row_label,
    slice_label,
    stage_label,
    system_label,
)
from kofinlaw.scoring.report.page_scores import score_context
from kofinlaw.scoring.report.page_stages import stage_context
from kofinlaw.scoring.report.report_record import ReportFigures
from kofinlaw.scoring.report.sections.abstention_section import abstention_context
from kofinlaw.scoring.report.sections.floor_section import floor_words
from kofinlaw.scoring.report.sections.twin_section import twins_context
from kofinlaw.scoring.report.template import template
from kofinlaw.scoring.report.wording.descriptions import description_words
from kofinlaw.scoring.value_text import Words, p_text, script_json

__all__ = ["ITEM_WORDS", "STATES", "render"]

ITEM_WORDS: dict[str, Words] = {
    "gold": ("정답", "gold"),
    "unit": ("정답 조문", "gold article"),
    "found": ("검색한 근거", "retrieved evidence"),
    "reference": ("모범 답", "reference"),
    "keywords": ("핵심어", "keywords"),
    "nothing": ("답 없음", "no answer"),
    "characters": ("자", "characters"),
    "loose": ("근거에 없는 것", "not in the evidence"),
    "absent": ("빠진 사실", "missing facts"),
    "wrong": ("모순되는 사실", "contradicted facts"),
    "trace": ("호출 기록", "trace"),
}
STATES = (
    ("wrong", "틀린 문항", "wrong"),
    ("", "모든 문항", "all items"),
    ("right", "맞힌 문항", "correct"),
    ("gained", "새로 맞힌 문항", "newly correct"),
    ("lost", "새로 틀린 문항", "newly wrong"),
)


def render(figures: ReportFigures, run: Path, traces: Anchors | None = None) -> str:
    """Return the page; `traces` are anchors on traces.html by (system, id).

    The templates escape every text of the run. The content security policy allows one script by
    its hash, so no script inside an answer can run.
    """
    scores = figures["scores"]
    abstention = abstention_context(scores.get("abstention") if scores else None)
    twins = twins_context(scores.get("twins") if scores else None)
    rows, left_out = item_rows(run, list(scores["systems"]), traces) if scores else ([], 0)
    words = {
        **ITEM_WORDS,
        **{name: system_label(name) for name in (scores["systems"] if scores else ())},
    }
    missing = [stage_label(name) for name in figures["missing"]]
    context: dict[str, object] = {
        "f": figures,
        "description": description_words(figures["description"]),
        "sections": _sections(figures, {"abstention": abstention, "twins": twins}),
        "abstention": abstention,
        "floor": floor_words(figures["floor"], _abstain(figures["recipe"])),
        "twins": twins,
        "exams": figures["exams"],
        "row_label": row_label,
        "slice_label": slice_label,
        "shown_rows": shown_rows,
        "shown_slices": shown_slices,
        "exam_notes": exam_notes,
        "states": STATES,
        "pair_label": pair_label,
        "p_value": p_text,
        "unequal_plans": unequal_plans,
        "untested": untested,
        "missing": (", ".join(ko for ko, _ in missing), ", ".join(en for _, en in missing)),
        "item_rows": rows,
        "items_left_out": left_out,
        "words": words,
        "words_json": script_json(words),
        **score_context(scores, _chunks(figures["documents"])),
        **stage_context(figures),
    }
    return template("report.html", scripts=("report.js", "page.js"))(**context)


def _sections(figures: ReportFigures, optional: Mapping[str, object]) -> dict[str, Words]:
    """Return the titles of the sections that belong to the run.

    A section without figures is shown if a stage of the run makes them. A run that only answers has
    no scores and no training. `optional` are figures of sections that a complete run may lack.
    """
    stages = {*figures["missing"], *(stage["stage"] for stage in figures["stages"])}
    given = {
        "exams": figures["exams"],
        **optional,
        **dict.fromkeys(("scores", "slices", "items"), figures["scores"] or "score" in stages),
        "training": figures["training"] or "train" in stages,
        "augment": figures["augment"] or "augment" in stages,
        "latency": figures["latency"] or "score" in stages,
        "merge": figures["merge"] or not {"merge", "verify"}.isdisjoint(stages),
    }
    return {name: title for name, title in SECTIONS.items() if given.get(name, True)}


def _abstain(recipe: Mapping[str, object]) -> str:
    """Return `answer.abstain` of the recipe."""
    answer = recipe.get("answer")
    return str(answer.get("abstain", "free")) if isinstance(answer, dict) else "free"


def _chunks(documents: Mapping[str, object] | None) -> int | None:
    """Return the number of chunks of the corpus, if the data card has it."""
    count = (documents or {}).get("chunks")
    return count if isinstance(count, int) else None
