"""A run with judge figures, permuted options and traces."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from kofinlaw.files import write_json, write_jsonl
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings

_spec = importlib.util.spec_from_file_location(
    "page_elements", Path(__file__).with_name("page_elements.py")
)
page_elements = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(page_elements)
EVIL = page_elements.EVIL


@pytest.fixture
def judged_and_traced(run_folder, tmp_path):
    """A run with a judge's figures, permuted options, ungrounded claims and traces of two items."""
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    path = run / "score" / "scores.json"
    scores = json.loads(path.read_text())
    figure = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 12}
    cell = {
        "figure": figure, "items": 12, "judged": 9, "verdicts": 24, "unreadable": 6,
        "unreadable_share": 0.25, "worst": 0.4, "best": 0.65, "agreement": 0.75, "by_chance": 0.5,
    }  # fmt: skip
    pair = {
        "a": "base", "b": "trained-rag", "items": 12, "wins_a": 1, "wins_b": 4, "same": 3,
        "unstable": 3, "unreadable": 1, "p_value": 0.375,
    }  # fmt: skip
    scores["judge"] = {
        "judge": "local/judge", "engine": "llamacpp", "items": 12, "repeats": 2,
        "criteria": {"correctness": {"trained-rag": cell}}, "pairs": [pair],
        "controls": {"correctness": {"reference": 1.0, "stranger": 0.1, "auc": 0.95, "n": 24}},
    }  # fmt: skip
    one = scores["systems"]["trained-rag"]
    one["orders"] = {
        "n": 60, "orders": 4, "plain": figure, "permuted": figure, "averaged": figure,
        "consistent": figure, "by_chance": 0.016, "gained": 1, "lost": 2,
    }  # fmt: skip
    one["grounding"] = {"answers": 12, "claims": 20, "share": 0.85, "answers_with_ungrounded": 3}
    write_json(path, scores)
    rows = [json.loads(line) for line in (run / "score/items.jsonl").read_text().splitlines()]
    own = [row for row in rows if row["system"] == "trained-rag"]
    wrong = next(row["id"] for row in own if row["score"] < 0.5)
    right = min((row for row in own if row["score"] >= 0.5), key=lambda row: row["seconds"])["id"]
    own[-1]["ungrounded"] = ["7일"]
    write_jsonl(run / "score" / "items.jsonl", rows)
    with (
        open_tracer(TraceSettings(), run / "answer-trained-rag") as tracer,
        tracer.span("score", model="pico", turns=[0]) as span,
    ):
        span.item(wrong, prompt=f"[참고 조문] {EVIL}", answer="2")
        span.item(right, prompt="빠르고 맞은 문항", answer="1")
    return run, wrong
