"""The commands `tune`, on a development set that does not evaluate, and `fit-voters`."""

import json
import shlex
import shutil

import pytest

from kofinlaw.files import write_jsonl
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.weights_file import weights_of, write_weights
from kofinlaw.recipes.pipeline.fitting import voter_fitting
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.runner import run_stages
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.pipeline.stages import build_stages
from kofinlaw.records import Key, Question


@pytest.fixture(scope="module")
def indexed(pico, tmp_path_factory):
    """A run of the pico recipe with its documents read and indexed."""
    runs = tmp_path_factory.mktemp("runs")
    loaded, recipe_file = load_recipe(str(pico / "recipe.yaml"))
    run = bind(loaded, recipe_file, runs, cache=runs / "cache")
    run_stages(build_stages(run), run.folder, only=["data", "index"])
    (run.folder / "augment").mkdir()
    write_jsonl(run.folder / "augment" / "heldout_questions.jsonl", [])
    return run


@pytest.fixture
def tune(pico, indexed, typed):
    def call(questions, key):
        files = ("--questions", questions, "--key", key, "--runs", indexed.folder.parent)
        return typed("tune", pico / "recipe.yaml", *files)

    return call


def test_the_best_setting_for_a_development_set_is_printed(tune, indexed, tmp_path):
    write_jsonl(tmp_path / "q.jsonl", [Question("d1", "점검절차에 이상이 있으면 누가 보고하는가?")])
    write_jsonl(tmp_path / "k.jsonl", [Key("d1", units=("전산점검 규정 제3조",))])
    code, said = tune(tmp_path / "q.jsonl", tmp_path / "k.jsonl")
    assert code == 0, said
    assert "kofinlaw run" in said
    assert json.loads((indexed.folder / "tune" / "tuning.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("place", ["own", "gathered", "heldout", "copied"])
def test_questions_that_evaluate_the_model_are_refused_from_any_file(
    tune, pico, indexed, tmp_path, place
):
    heldout = indexed.folder / "augment" / "heldout_questions.jsonl"
    write_jsonl(heldout, [Question("h1", "점검일은 누가 정하는가?")])
    gathered = indexed.questions_path
    gathered.parent.mkdir(exist_ok=True)
    shutil.copy(heldout, gathered)
    write_jsonl(tmp_path / "q.jsonl", [Question("mine", "점검일은 누가 정하는가?")])
    files = {"own": pico / "questions.jsonl", "gathered": gathered, "heldout": heldout}
    code, said = tune(files.get(place, tmp_path / "q.jsonl"), pico / "key.jsonl")
    assert code == 1
    assert "may not be tuned on them" in said


def test_the_command_after_a_fit_is_valid_for_a_recipe_with_a_table_of_weights(
    pico, indexed, typed, monkeypatch
):
    def fit(run, system, questions, keys, progress):
        weights = weights_of(AnswerSettings(voters={"reading": 1.0}))
        write_weights(voter_fitting.fitted_weights(run, system), weights, {})

    monkeypatch.setattr(voter_fitting, "training_questions", lambda *_: ([], []))
    monkeypatch.setattr(voter_fitting, "fit_system", fit)
    table = ("answer.choose_by=contrast", "answer.voters={reading: 1.0}")
    table += ("answer.unrelated_voters={likelihood: 0.5}",)
    options = [word for value in table for word in ("--set", value)]
    runs = indexed.folder.parent
    code, said = typed("fit-voters", pico / "recipe.yaml", *options, "--runs", runs, "--trust")
    assert code == 0, said
    words = shlex.split(said[said.index("kofinlaw run") :], comments=True)
    overrides = [words[n + 1] for n, word in enumerate(words) if word == "--set"]
    recipe, _ = load_recipe(str(pico / "recipe.yaml"), overrides)
    keys = [one.partition("=")[0] for one in overrides]
    assert sorted(keys) == ["answer.choose_by", "answer.unrelated_voters", "answer.voters"]
    assert recipe.answer.voters == voter_fitting.fitted_weights(indexed, "base-rag")
