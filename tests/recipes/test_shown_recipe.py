"""Resolved recipes as YAML: what is shown reads back as the same recipe."""

import pytest
import yaml

from kofinlaw.recipes.pipeline.recipe_file import shipped_recipes
from kofinlaw.recipes.pipeline.schema import Recipe, load_recipe
from kofinlaw.recipes.shown_recipe import nested_values, recipe_lines, shown_values


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_reads_back_also_without_its_defaults(name):
    recipe, recipe_file = load_recipe(name)
    for changed in (False, True):
        shown = shown_values(recipe, recipe_file, changed=changed)
        text = "\n".join(recipe_lines(shown))
        assert Recipe.model_validate(yaml.safe_load(text)) == recipe
        assert Recipe.model_validate(nested_values(shown)) == recipe


def test_a_written_default_is_not_changed(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\npolicy: open\nmodel: {id: google/gemma-3-270m}\n"
        "data: {sources: [{path: ., license: Apache-2.0}]}\n",
        encoding="utf-8",
    )
    recipe, recipe_file = load_recipe(str(path), ["name=yours", "train.max_length=512"])
    shown = {one.key: one for one in shown_values(recipe, recipe_file, changed=True)}
    assert list(shown) == ["name", "model.id", "data.sources", "train.max_length"]
    assert shown["name"].before == "mine (mine.yaml:1)"
    assert shown["train.max_length"].before.endswith("(default)")
    assert shown["data.sources"].value == [{"path": str(tmp_path), "license": "Apache-2.0"}]
