"""The recipe's schema: strict, all errors at once, origins kept."""

from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.recipe_file import SHIPPED, shipped_recipes
from kofinlaw.recipes.pipeline.schema import (
    field_names,
    json_schema,
    leaves,
    load_recipe,
    origin_of,
)

MINIMAL = "name: 시험\nmodel:\n  id: google/gemma-3-270m\ndata:\n  sources: [docs]\n"


def written(folder: Path, text: str) -> str:
    path = folder / "recipe.yaml"
    path.write_text(text.replace("시험", "test"), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_is_valid(name):
    recipe, _ = load_recipe(name)
    assert recipe.name == name
    assert recipe.description


@pytest.mark.parametrize("path", [*SHIPPED.glob("*.yaml"), *SHIPPED.glob("presets/*.yaml")])
def test_every_key_of_a_recipe_is_explained_on_its_line(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.strip().partition(":")
        if value and not key.startswith("#") and key != "description":
            assert " # " in value, line


def test_all_mistakes_come_at_once_with_line_and_nearest_name(tmp_path):
    text = MINIMAL + "train:\n  learning_rte: 1\n  epochs: many\npolicy: contst\n"
    with pytest.raises(UserError) as caught:
        load_recipe(written(tmp_path, text))
    message = str(caught.value)
    assert "3 mistakes" in message
    assert (
        "recipe.yaml:7: unknown key `train.learning_rte`; did you mean `learning_rate`?" in message
    )
    assert "recipe.yaml:8: `train.epochs`" in message
    assert "recipe.yaml:9: `policy`" in message


def test_a_mistake_on_the_command_line_names_the_option(tmp_path):
    with pytest.raises(UserError, match=r"--set train\.epoch: unknown key"):
        load_recipe(written(tmp_path, MINIMAL), ["train.epoch=2"])


def test_a_missing_section_is_named(tmp_path):
    with pytest.raises(UserError, match=r"`data\.sources` is required"):
        load_recipe(written(tmp_path, "name: test\nmodel: {id: a}\n"))


def test_items_are_trained_in_the_form_in_which_they_are_asked(tmp_path):
    asked = "answer: {choose_by: contrast, contrast_form: plain}\n"
    with pytest.raises(UserError, match=r"train\.contrast\.form.* is chat"):
        load_recipe(written(tmp_path, MINIMAL + "train: {objective: contrast}\n" + asked))
    form = "train: {objective: contrast, contrast: {form: plain}}\n"
    recipe, _ = load_recipe(written(tmp_path, MINIMAL + form + asked))
    assert recipe.train.contrast.form == "plain"


def test_stages_that_do_not_fit_together_are_refused(tmp_path):
    both = MINIMAL + "augment: {answer_form: text}\nanswer: {answer_form: label}\n"
    with pytest.raises(UserError, match="answer_form"):
        load_recipe(written(tmp_path, both))
    heldout = MINIMAL + "evaluate: {heldout: true}\n"
    with pytest.raises(UserError, match="holdout_documents"):
        load_recipe(written(tmp_path, heldout))


@pytest.mark.parametrize("name", ["../up", "a b", "", ".hidden"])
def test_a_name_that_would_leave_the_runs_folder_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="name"):
        load_recipe(written(tmp_path, MINIMAL), [f"name={name!r}"])


def test_origins_tell_file_command_line_and_default_apart(tmp_path):
    recipe, recipe_file = load_recipe(written(tmp_path, MINIMAL), ["seed=7"])
    origins = {
        key: origin_of(recipe_file, key) for key, _ in leaves(recipe.model_dump(mode="json"))
    }
    assert origins["model.id"] == "recipe.yaml:3"
    assert origins["seed"] == "--set seed"
    assert origins["policy"] == "default"


def test_the_resolved_recipe_reads_back_as_itself(tmp_path):
    from kofinlaw.recipes.pipeline.schema import resolved_yaml

    recipe, _ = load_recipe("quickstart")
    path = tmp_path / "recipe.yaml"
    path.write_text(resolved_yaml(recipe), encoding="utf-8")
    assert load_recipe(str(path))[0] == recipe


def test_the_schema_for_editors_knows_every_section():
    assert set(field_names([])) == set(json_schema()["properties"])
    assert "rank" in field_names(["train", "lora"])


def test_the_contest_recipes_keep_the_contests_terms():
    for name in ("exaone-3.5-7.8b", "solar-10.7b", "qwen2.5-7b"):
        recipe, _ = load_recipe(name)
        assert recipe.policy == "contest-2025"
        assert recipe.answer.budget_minutes == 270
        assert str(recipe.data.as_of) == "2025-07-31"
        assert recipe.answer.choose_by == "generate"
        assert recipe.train.quantization == "nf4"


@pytest.mark.parametrize(
    ("addition", "said"),
    [
        ("export: {formats: [gguf-q8_0]}\n", "exports the trained model"),
        ("evaluate: {questions: q.jsonl}\n", "trains no model"),
        ("evaluate: {exam: exam.csv}\n", "trains no model"),
    ],
)
def test_a_recipe_that_only_asks_refuses_what_needs_a_trained_model(tmp_path, addition, said):
    asking = MINIMAL + "ask_only: true\n"
    assert not load_recipe(written(tmp_path, asking))[0].makes_examples
    with pytest.raises(UserError, match=said):
        load_recipe(written(tmp_path, asking + addition))


def test_a_recipe_that_only_asks_need_not_fit_a_form_of_training(tmp_path):
    form = "train: {objective: contrast}\nanswer: {choose_by: contrast, contrast_form: plain}\n"
    form += "augment: {answer_form: label}\n"
    load_recipe(written(tmp_path, MINIMAL + "ask_only: true\n" + form))


def test_a_share_is_enough_to_hold_documents_out(tmp_path):
    text = MINIMAL + "augment: {holdout_share: 0.2, holdout_items: 5}\nevaluate: {heldout: true}\n"
    assert load_recipe(written(tmp_path, text))[0].tested


@pytest.mark.parametrize("day", ["2026/01/01", "2026. 1. 1.", "2026-13-01", "soon"])
def test_a_day_in_another_form_names_the_form_to_write(day):
    with pytest.raises(UserError) as error:
        load_recipe("quickstart", [f"data.as_of='{day}'"])
    assert "`data.as_of`: not a day; write it as 2026-01-01" in str(error.value)
