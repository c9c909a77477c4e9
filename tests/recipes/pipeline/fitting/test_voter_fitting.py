"""Weights are fitted to a run's own training questions, once, and again when something changed."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.rag.choosing.voter_fit import FIT_VOTERS
from kofinlaw.rag.choosing.weights_file import read_weights
from kofinlaw.recipes.pipeline.fitting import voter_fitting
from kofinlaw.recipes.pipeline.fitting.voter_fitting import (
    fitted_settings,
    fitted_weights,
    serving_settings,
    training_questions,
)
from kofinlaw.recipes.pipeline.recipe_file import read_recipe_file
from kofinlaw.recipes.pipeline.run import Run, bind
from kofinlaw.recipes.pipeline.schema import check_recipe
from kofinlaw.records import Choice, Example


def example(number: int, *, answer: int) -> Example:
    draw = random.Random(number)
    options = [f"{draw.randint(1, 90)}일 이내 {n}" for n in range(4)]
    choice = Choice(
        question=f"제{number}조의 기한은?",
        options=options,
        evidence=[],
        answer=answer,
        negative=False,
        twin="",
    )
    provenance: Any = {
        "chunks": [], "generator": "quantity", "version": "1", "teacher": "",
        "teacher_revision": "", "teacher_license": "", "prompt_sha256": "", "seed": 1,
    }  # fmt: skip
    return Example(f"e{number}", "quantity", [], options[answer], provenance, choice=choice)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A recipe without retrieval whose engine is the dummy, with eighty examples."""
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "name: r\nmodel: {id: google/gemma-3-270m}\nexamples: e.jsonl\n"
        "answer: {choose_by: contrast, voters: fit, voter_items: 50, engine: {engine: dummy}}\n",
        "utf-8",
    )
    read = read_recipe_file(recipe)
    bound = bind(check_recipe(read), read, tmp_path / "runs")
    write_jsonl(
        bound.folder / "augment" / "examples.jsonl",
        [example(number, answer=number % 4) for number in range(80)],
    )
    return bound


@pytest.fixture(autouse=True)
def _no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "gemma3_text"}')
    (folder / "chat_template.jinja").write_text(
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
    )
    monkeypatch.setattr(voter_fitting, "system_folder", lambda run, system: folder)


def test_the_weights_are_fitted_once_and_then_taken(run: Run) -> None:
    calls: list[str] = []
    settings = fitted_settings(
        run, "base", run.recipe.answer, lambda phase, *_, **__: calls.append(phase)
    )
    path = fitted_weights(run, "base")
    assert settings.voters == path
    assert calls
    weights = read_weights(path)
    assert set(weights.voters) <= set(FIT_VOTERS)
    record = json.loads(path.read_text("utf-8"))
    assert record["fit"]["items"] == 50
    calls.clear()
    assert (
        fitted_settings(run, "base", run.recipe.answer, lambda phase, *_, **__: calls.append(phase))
        == settings
    )
    assert calls == []


def test_other_questions_are_fitted_again(run: Run) -> None:
    fitted_settings(run, "base", run.recipe.answer, lambda *_, **__: None)
    before = fitted_weights(run, "base").read_bytes()
    write_jsonl(
        run.folder / "augment" / "examples.jsonl",
        [example(number, answer=(number + 1) % 4) for number in range(80)],
    )
    fitted_settings(run, "base", run.recipe.answer, lambda *_, **__: None)
    assert fitted_weights(run, "base").read_bytes() != before


def test_a_fit_that_was_killed_continues_and_ends_with_the_same_bytes(run: Run) -> None:
    fitted_settings(run, "base", run.recipe.answer, lambda *_, **__: None)
    path = fitted_weights(run, "base")
    whole = path.read_bytes()
    plan = path.parent / "answers" / "plan.jsonl"
    lines = plan.read_text("utf-8").splitlines(keepends=True)
    path.unlink()
    plan.write_text("".join(lines[:21]), "utf-8")
    fitted_settings(run, "base", run.recipe.answer, lambda *_, **__: None)
    assert path.read_bytes() == whole


def test_a_table_of_weights_is_not_fitted(run: Run) -> None:
    answer = run.recipe.answer.model_copy(update={"voters": {"contrast": 1.0}})
    table = replace(run, recipe=run.recipe.model_copy(update={"answer": answer}))
    assert fitted_settings(table, "base", answer, lambda *_, **__: None) == answer
    assert serving_settings(table) == answer
    assert not (run.folder / "voters").exists()


def test_answering_before_the_fit_names_the_command(run: Run) -> None:
    with pytest.raises(UserError, match="not fitted yet") as caught:
        serving_settings(run)
    assert "fit-voters" in (caught.value.remedy or "")


def test_examples_that_cannot_be_used_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no training examples"):
        training_questions(tmp_path / "none.jsonl", 50)
    free = replace(example(1, answer=0), choice={**example(1, answer=0).choice, "answer": -1})  # type: ignore[typeddict-item]
    write_jsonl(tmp_path / "free.jsonl", [free])
    with pytest.raises(UserError, match="multiple-choice"):
        training_questions(tmp_path / "free.jsonl", 50)


def test_the_same_questions_are_chosen_from_examples_in_any_order(tmp_path: Path) -> None:
    found = [example(number, answer=number % 4) for number in range(80)]
    write_jsonl(tmp_path / "a.jsonl", found)
    write_jsonl(tmp_path / "b.jsonl", found[::-1])
    questions, keys = training_questions(tmp_path / "a.jsonl", 20)
    assert (questions, keys) == training_questions(tmp_path / "b.jsonl", 20)
    assert len(questions) == 20
    by_id = {e.id: e for e in found}
    for question, key in zip(questions, keys, strict=True):
        assert question.options[int(key.answer) - 1] == by_id[question.id].answer_key
