"""The report as one HTML page: the gathered figures, the items and the plots in the template."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kofinlaw.scoring.report.item_rows import item_rows
from kofinlaw.scoring.report.labels import SECTIONS, stage_label, system_label
from kofinlaw.scoring.report.page_scores import pair_label, score_context
from kofinlaw.scoring.report.page_stages import stage_context
from kofinlaw.scoring.report.template import script, template
from kofinlaw.scoring.report.trace_page import Anchors
from kofinlaw.scoring.value_text import Words, both, p_text, script_json

ITEM_WORDS: dict[str, Words] = {
    "gold": ("정답", "gold"),
    "unit": ("정답 조문", "gold article"),
    "found": ("찾은 근거", "evidence found"),
    "reference": ("모범 답", "reference"),
    "keywords": ("핵심어", "keywords"),
    "nothing": ("답 없음", "no answer"),
    "characters": ("자", "characters"),
    "loose": ("근거에 없는 것", "not in the evidence"),
    "trace": ("호출 기록", "trace"),
}
STATES = (
    ("wrong", "틀린 문항", "wrong"),
    ("", "모든 문항", "all items"),
    ("right", "맞힌 문항", "right"),
    ("gained", "새로 맞힌 문항", "newly right"),
    ("lost", "새로 틀린 문항", "newly wrong"),
)


def render(figures: Mapping[str, Any], run: Path, traces: Anchors | None = None) -> str:
    """The page; `traces` are anchors on traces.html by system and id.

    Every text of the run is escaped by the template; the page runs one script, named by its hash
    in the content security policy, so nothing in an answer can run.
    """
    scores = figures["scores"]
    rows, left_out = item_rows(run, scores, traces or {}) if scores else ([], 0)
    words = {
        **ITEM_WORDS,
        **{n: both(partial(system_label, n)) for n in (scores or {}).get("systems", ())},
    }
    context = {
        "f": figures,
        **script("report.js"),
        "sections": SECTIONS,
        "states": STATES,
        "pair_label": pair_label,
        "p_value": p_text,
        "missing": both(lambda lang: ", ".join(stage_label(n, lang) for n in figures["missing"])),
        "item_rows": rows,
        "items_left_out": left_out,
        "words": words,
        "words_json": script_json(words),
        **score_context(scores),
        **stage_context(figures),
    }
    return template("report.html")(**context)
