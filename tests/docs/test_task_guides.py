"""The guides to a GPU, the contest, an own teacher and figures: commands, keys and messages exist."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from kofinlaw.recipes.pipeline.schema import Recipe, load_recipe

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)

NAMES = ["gpu.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
KEY = re.compile(
    r"`((?:answer|augment|data|evaluate|export|merge|model|rag|score|train|verify)\.[a-z_.]+)(?::[^`]*)?`"
)
ROOMS = ("augment", "data", "models", "rag", "recipes", "scoring", "trainer")
SHIPPED = {path.stem for path in (ROOT / "recipes").glob("*.yaml")}


def page(name, language=""):
    return (ROOT / "docs" / language / "guides" / name).read_text(encoding="utf-8")


def blocks(text, kind):
    return [block for found, block in BLOCK.findall(text) if found == kind]


def commands(name):
    return [line for block in blocks(page(name), "") for line in block.splitlines() if line]


def shell(name):
    return [shlex.split(line) for block in blocks(page(name), "sh") for line in block.splitlines()]


def recipe_of(words):
    """Return (recipe name, its --set values) of a command's words, or None."""
    if len(words) < 2 or words[1] not in SHIPPED:
        return None
    sets = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    return words[1], sets


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_show_the_same_blocks_keys_and_messages(name):
    english, korean = page(name), page(name, "ko")
    assert BLOCK.findall(english) == BLOCK.findall(korean)
    assert set(KEY.findall(english)) == set(KEY.findall(korean))
    assert english.count("\n| ") == korean.count("\n| ")
    assert english.count("\n## ") == korean.count("\n## ")


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_reads_every_command(name):
    assert commands(name)
    for line in commands(name):
        pico_run.check_command(line)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipe_takes_the_values_of_a_command(name):
    for line in commands(name):
        found = recipe_of(shlex.split(line, comments=True)[1:])
        if found:
            recipe, _ = load_recipe(*found)
            assert recipe.name


def schema_has(key):
    schema = Recipe.model_json_schema()
    nodes = [schema]
    for part in key.split("."):
        found = []
        while nodes:
            node = nodes.pop()
            if "$ref" in node:
                nodes.append(schema["$defs"][node["$ref"].rpartition("/")[2]])
            nodes += node.get("anyOf", [])
            if part in node.get("properties", {}):
                found.append(node["properties"][part])
        nodes = found
    return bool(nodes)


@pytest.mark.parametrize("name", NAMES)
def test_the_keys_of_a_page_are_recipe_keys(name):
    assert not schema_has("train.no_such_key")
    missing = [key for key in sorted(set(KEY.findall(page(name)))) if not schema_has(key)]
    assert not missing


@pytest.mark.parametrize("name", NAMES)
def test_the_messages_of_the_last_table_are_in_the_code(name):
    """The first column of "When something is wrong": each part between … occurs in the code."""
    _, found, table = page(name).partition("## When something is wrong")
    if not found:
        pytest.skip("the page has no table of messages")
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a message over several lines is one
    messages = re.findall(r"^\| `([a-z][^`]+ [^`]+)` \|", table, re.M)
    assert len(messages) >= 2
    for part in [part.strip() for message in messages for part in message.split("…")]:
        assert part in code, part


def test_the_training_script_reads_the_command_of_the_gpu_guide():
    (words,) = [words for words in shell("gpu.md") if words[0] == "accelerate"]
    program, launch, option, config, script, *rest = words
    assert (program, launch, option) == ("accelerate", "launch", "--config_file")
    assert (ROOT / config).is_file()
    assert (ROOT / script).is_file()
    recipe, _ = load_recipe(*recipe_of([script, *rest]))
    assert recipe.model.path.name == "EXAONE-3.5-7.8B-Instruct-Llama"


def test_the_gpu_guide_names_models_of_the_catalogue_and_scripts_that_exist():
    from kofinlaw.models.catalogue import find_model

    words = shell("gpu.md")
    downloads = [line[2] for line in words if line[:2] == ["hf", "download"]]
    assert len(downloads) == 4
    assert all(find_model(name).id == name for name in downloads)
    scripts = [line[1] for line in words if line[0] == "python"]
    assert scripts
    assert all((ROOT / name).is_file() for name in scripts)
