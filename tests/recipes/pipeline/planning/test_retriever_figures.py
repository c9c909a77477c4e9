"""The plan of fit-retriever: pairs of the documents, steps, memory, hours, and what does not fit."""

from __future__ import annotations

import dataclasses
import json

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.models.machines import machine_name, planned_card, processor
from kofinlaw.recipes.pipeline.planning.pair_count import pair_count
from kofinlaw.recipes.pipeline.planning.retriever_figures import (
    base_card,
    retriever_figures,
    retriever_lines,
)
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe

CARD = planned_card(24, "test")


@pytest.fixture
def bound(tmp_path):
    """Bind the shipped recipe to a folder of one act, with these overrides."""
    act = tmp_path / "docs" / "점검법.md"
    act.parent.mkdir()
    articles = (
        f"##### 제{n}조 (설비 {n}의 점검)\n\n회사는 설비 {n}을 {n}일마다 점검하고 그 결과를 기록한다.\n"
        for n in range(1, 30)
    )
    act.write_text("# 점검법\n\n" + "\n".join(articles), encoding="utf-8")

    def made(*sets):
        documents = f"data.sources=[{{path: {act.parent}, kind: statute}}]"
        recipe, file = load_recipe("fit-retriever", [documents, *sets])
        return bind(recipe, file, tmp_path / "runs", cache=tmp_path / "cache")

    return made


def test_pairs_are_counted_and_kept(bound, tmp_path):
    write_jsonl(tmp_path / "own.jsonl", [{"anchor": "언제 점검하나", "unit": "점검법 제3조"}])
    run = bound(f"retriever.pairs={tmp_path / 'own.jsonl'}")
    count = pair_count(run)
    assert count.kinds["heading"] == 29
    assert count.kinds["own"] == 1
    assert count.exact
    (kept,) = (run.cache / "plans").glob("pairs-*.json")
    kept.write_text(json.dumps(dataclasses.asdict(count) | {"units": 7}), encoding="utf-8")
    assert pair_count(run).units == 7
    with pytest.raises(UserError, match="no pairs"):
        pair_count(bound("retriever.kinds=[]"))


def test_each_method_has_its_memory_and_hours(bound):
    found = {
        method: retriever_figures(bound(f"retriever.method={method}"), processor(), [])
        for method in ("static", "full", "lora")
    }
    assert found["static"]["batch"] == 29  # as many as there are articles
    full, lora = found["full"]["embedder"], found["lora"]["embedder"]
    assert lora["terms_gib"]["optimizer"] < full["terms_gib"]["optimizer"]
    assert lora["hours"] < full["hours"]
    lines = "\n".join(retriever_lines(found["full"]))
    assert "fit-retriever: full from intfloat/multilingual-e5-small" in lines
    assert "GiB at most" in lines
    assert "minute" in lines


def test_what_does_not_fit_is_a_problem_with_a_smaller_pass(bound):
    problems: list[str] = []
    small = dataclasses.replace(processor(), gib=3.5)
    run = bound("retriever.method=full", "retriever.batch=29")
    retriever_figures(run, small, problems)
    assert "retriever.pass_pairs: " in problems[0]
    problems.clear()
    reranker = bound("retriever.reranker={batch: 64, layers: null}")
    retriever_figures(reranker, small, problems)
    assert "training the reranker needs" in problems[0]


def test_an_earlier_training_here_gives_the_hours(bound):
    run = bound()
    assert retriever_figures(run, processor(), [])["embedder"]["basis"] == "arithmetic"
    folder = run.folder.parent / "earlier" / "retriever"
    folder.mkdir(parents=True)
    record = {
        "status": "complete",
        "machine": machine_name(),
        "settings": {"retriever": run.recipe.retriever.model_dump(mode="json")},
        "counts": {"steps": 100, "seconds": 1200.0, "pairs": 29},  # as many as there are articles
    }
    (folder / "stage.json").write_text(json.dumps(record), encoding="utf-8")
    found = retriever_figures(run, processor(), [])["embedder"]
    assert found["basis"] == "measured in the run earlier on this machine"
    assert found["hours"] == pytest.approx(2.0, rel=0.3)  # six times the steps
    record["counts"]["pairs"] = 10_000  # steps of 256 pairs, where there are 29 now
    (folder / "stage.json").write_text(json.dumps(record), encoding="utf-8")
    found = retriever_figures(run, processor(), [])["embedder"]
    assert found["hours"] == pytest.approx(2.0 * 29 / 256, rel=0.3)
    assert retriever_figures(run, CARD, [])["embedder"]["basis"] == "arithmetic"


def test_the_budget_of_a_recipe_limits_the_hours(bound):
    few = bound("retriever.budget_minutes=600", "retriever.method=full", "retriever.steps=100")
    assert retriever_figures(few, processor(), [])["embedder"]["basis"] == "arithmetic"
    long = bound(
        "retriever.method=full",
        "retriever.steps=100000",
        "retriever.budget_minutes=6",
        "retriever.reranker={steps: 100000, budget_minutes: 6}",
    )
    found = retriever_figures(long, processor(), [])
    assert found["embedder"]["hours"] == pytest.approx(0.1, abs=0.05)
    assert "retriever.budget_minutes; all steps would take" in found["embedder"]["basis"]
    assert "retriever.reranker.budget_minutes" in found["reranker"]["basis"]


def test_a_base_of_unknown_shape_is_one_error(bound):
    assert base_card(bound().recipe.retriever).hidden == 384
    with pytest.raises(UserError, match="is not known"):
        base_card(bound("retriever.base=somebody/unknown").recipe.retriever)
