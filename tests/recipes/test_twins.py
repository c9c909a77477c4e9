"""A whole run with held-out twins: stages, answers, scores and the report's section."""

import json

import pytest

from kofinlaw import UserError
from kofinlaw.files import read_jsonl
from kofinlaw.recipes.pipeline.execution import execute_stages
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.pipeline.stages import build_stages
from kofinlaw.records import TwinQuestion

HELD = ["augment.holdout_documents=[전산점검 규정]", "augment.holdout_items=40"]


def bound(pico, runs, *overrides):
    recipe, recipe_file = load_recipe(str(pico / "recipe.yaml"), overrides)
    return bind(recipe, recipe_file, runs, cache=runs / "cache")


def pair(name, other, days, answer):
    options = ("이틀", "사흘", "나흘", "닷새")
    text = f"전산점검 규정 제3조(보고)\n담당부서는 {days} 이내에 은행장에게 보고하여야 한다."
    return TwinQuestion(name, "보고 기한은?", options, (text,), answer, False, other)


def test_twins_are_answered_from_their_evidence_and_scored(pico, tmp_path, monkeypatch):
    # The three short rulebooks give no pair of their own.
    made = [pair("a", "b", "이틀", "1"), pair("b", "a", "나흘", "3")]
    monkeypatch.setattr("kofinlaw.augment.stage.heldout_twins", lambda *_: made)
    run = bound(pico, tmp_path, *HELD, "evaluate.twins=true", "evaluate.heldout=true")
    execute_stages(run)
    asked = {
        q.id: q for q in read_jsonl(run.folder / "augment" / "heldout_twins.jsonl", TwinQuestion)
    }
    assert asked
    for model in ("base", "trained"):
        rows = list(map(json.loads, open(run.folder / f"twins-{model}" / "plan.jsonl")))
        assert {row["id"] for row in rows} == set(asked)
        for row in rows:
            assert row["plan"] == "full"
            shown = "".join("".join(row["texts"]).split())
            assert all("".join(text.split()) in shown for text in asked[row["id"]].evidence)
    record = json.loads((run.folder / "score" / "scores.json").read_text())["twins"]
    assert record["pairs"] == len(asked) // 2
    assert set(record["models"]) == {"base", "trained"}
    assert 0 < record["chance"] <= 1 / 16
    page = (run.folder / "report" / "report.html").read_text()
    assert 'id="twins"' in page
    assert "Counterfactual twins" in (run.folder / "score" / "scores.md").read_text()
    assert {outcome.how for outcome in execute_stages(run)} == {"skipped"}


def test_only_the_needed_stages_exist(pico, tmp_path):
    plain = {stage.name for stage in build_stages(bound(pico, tmp_path, *HELD))}
    run = bound(pico, tmp_path, *HELD, "evaluate.twins=true", "evaluate.systems=[base, base-rag]")
    assert {stage.name for stage in build_stages(run)} - plain == {"twins", "twins-base"}


def test_twins_need_held_out_items(pico, tmp_path):
    with pytest.raises(UserError, match="pairs of held-out questions"):
        bound(pico, tmp_path, "evaluate.twins=true")
