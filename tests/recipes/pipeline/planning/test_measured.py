"""Rates of earlier runs: of this model on this machine only, and never of a hurried answering."""

import json

import pytest

from kofinlaw.models.machines import machine_name, planned_card, processor
from kofinlaw.recipes.pipeline.planning.measured import answering_rate, training_rate
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe


@pytest.fixture
def run(tmp_path):
    recipe, recipe_file = load_recipe("quickstart")
    return bind(recipe, recipe_file, tmp_path / "runs", tmp_path / "cache")


def write(run, stage, name="earlier", machine=None, counts=(), **settings):
    folder = run.folder.parent / name / stage
    folder.mkdir(parents=True)
    record = {
        "status": "complete",
        "machine": machine or machine_name(),
        "settings": {"model": {"id": run.recipe.model.id}, **settings},
        "counts": dict(counts),
    }
    (folder / "stage.json").write_text(json.dumps(record), encoding="utf-8")


def trained(run, rate=100.0, **values):
    train = {"train": {"quantization": run.recipe.train.quantization}}
    write(run, "train", counts={"tokens_per_second": rate}, **{**train, **values})


def test_training_here_is_measured(run):
    assert training_rate(run, processor()) is None
    trained(run)
    assert training_rate(run, processor()).rate == 100.0
    assert training_rate(run, processor()).run == "earlier"
    assert training_rate(run, planned_card(24, "another machine")) is None


@pytest.mark.parametrize(
    "other",
    [
        {"machine": "another"},
        {"model": {"id": "another"}},
        {"train": {"quantization": "int8"}},
        {"rate": None},
    ],
)
def test_another_machine_model_or_format_says_nothing(run, other):
    trained(run, **other)
    assert training_rate(run, processor()) is None


def answered(run, **counts):
    values = {"choice": 40, "free": 10, "seconds_used": 100.0, "plan_full": 50, **counts}
    recipe = run.recipe
    write(
        run,
        "answer-trained-rag",
        counts=values,
        answer=recipe.answer.model_dump(mode="json"),
        rag=recipe.rag.model_dump(mode="json"),
    )


def test_answers_are_measured_where_every_question_got_the_full_plan(run):
    answered(run)
    slow = answering_rate(run, processor()).rate
    assert slow > 0


def test_a_hurried_run_or_a_broken_record_says_nothing(run):
    answered(run, plan_full=30)
    assert answering_rate(run, processor()) is None
    write(run, "submission", name="broken", counts={"choice": "x"}, answer={}, rag={})
    assert answering_rate(run, processor()) is None
