"""The guides to a GPU, the contest, an own teacher and figures: commands, keys and messages exist."""

import functools
import importlib.util
import json
import re
import shlex
import time
from pathlib import Path

import pytest
import yaml

from kofinlaw.rag.contest import script as contest_script
from kofinlaw.recipes.pipeline.compliance import verdicts_for
from kofinlaw.recipes.pipeline.schema import Recipe, load_recipe

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)

NAMES = ["gpu.md", "contest.md", "own-teacher.md", "figures.md", "mcp.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
KEY = re.compile(
    r"`((?:answer|augment|data|evaluate|export|merge|model|rag|score|train|verify)\.[a-z_.]+)(?<!\.md)(?<!\.py)(?::[^`]*)?`"
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


@functools.cache
def recipe_schema():
    return Recipe.model_json_schema()


def schema_has(key):
    schema = recipe_schema()
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


@pytest.mark.parametrize("name", [name for name in NAMES if name != "figures.md"])
def test_the_messages_of_the_last_table_are_in_the_code(name):
    """The first column of "When something is wrong": each part between … occurs in the code."""
    table = page(name).partition("## When something is wrong")[2]
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


def contest_values():
    (block,) = blocks(page("contest.md"), "yaml")
    return yaml.safe_load(block)


def flat(values, before=""):
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def test_the_shipped_recipes_have_the_values_of_the_contest_guide():
    for name in ("exaone-3.5-7.8b", "solar-10.7b", "qwen2.5-7b"):
        recipe = load_recipe(name)[0].model_dump()
        for key, value in flat(contest_values()):
            found = recipe
            for part in key.split("."):
                found = found[part]
            assert found == value, (name, key)


def test_the_policy_takes_the_values_of_the_contest_guide_and_refuses_others():
    values = [f"{key}={json.dumps(value, default=str)}" for key, value in flat(contest_values())]
    recipe, _ = load_recipe("qwen2.5-7b", values)
    assert all(verdict.ok for verdict in verdicts_for(recipe, recipe.policy))
    others = ("choose_by=contrast", "free_by=choose", "free_replace=true", "free_opening=true")
    for other in [*others, "abstain=free"]:
        recipe, _ = load_recipe("qwen2.5-7b", [*values, f"answer.{other}"])
        refused = [
            verdict.subject for verdict in verdicts_for(recipe, recipe.policy) if not verdict.ok
        ]
        assert f"answer.{other.partition('=')[0]}" in refused


def test_the_contest_script_reads_the_commands_of_the_guide(monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr(contest_script, "answer_file", lambda *call: given.append(call) or 1)
    monkeypatch.chdir(tmp_path)
    lines = shell("contest.md")
    assert [line[:2] for line in lines] == [["python", "contest/answer.py"]] * 2
    for line in lines:
        monkeypatch.setattr("sys.argv", line[1:])
        contest_script.main()
    outs = [out for _, out, _ in given]
    assert len({out.parent for out in outs}) == 2, "the rehearsal has its own folder"
    left = [end - time.monotonic() for _, _, end in given]
    assert all(259 * 60 < seconds <= 260 * 60 for seconds in left)


def test_the_recipe_reader_takes_the_teachers_of_the_guide():
    engines = []
    for block in blocks(page("own-teacher.md"), "yaml"):
        teacher = yaml.safe_load(block)["augment"]["teacher"]
        override = f"augment.teacher={json.dumps(teacher)}"
        recipe, _ = load_recipe("qwen-teacher", [override])
        assert recipe.augment.teacher.items == teacher["items"] == 400
        assert all(verdict.ok for verdict in verdicts_for(recipe, recipe.policy))
        engines.append(recipe.augment.teacher.engine.engine)
    assert engines == ["transformers", "llamacpp", "openai"]


def test_the_policy_judges_the_pairs_of_the_teacher_guide_as_it_says():
    checked = [line.split()[3:] for line in commands("own-teacher.md") if "policy check" in line]
    assert len(checked) == 2
    for name, *sets in checked:
        recipe, _ = load_recipe(name, sets[1::2])
        assert all(verdict.ok for verdict in verdicts_for(recipe, recipe.policy)), name
    recipe, _ = load_recipe("exaone-teacher", ["model.id=Qwen/Qwen2.5-7B-Instruct"])
    refused = [v.detail for v in verdicts_for(recipe, recipe.policy) if not v.ok]
    assert any("its outputs may train only EXAONE" in detail for detail in refused)


def test_the_guide_to_figures_names_every_figure():
    from kofinlaw.scoring.abstention.abstention_record import COVERAGES
    from kofinlaw.scoring.report.labels import MERGE_CHECKS
    from kofinlaw.scoring.report.wording.glossary import GLOSSARY

    text = page("figures.md")
    others = {"adapter", "argmax", "chunk", "token", "heldout", "evidence", "gold", "fingerprint"}
    terms = {term.key: term.name[1] for term in GLOSSARY if term.key not in others}
    assert {"interval", "fsku", "mcnemar", "holm", "ece", "aurc", "ndcg", "nat"} <= set(terms)
    lower = text.lower()
    for title in terms.values():
        names = re.split(r"[(),]", title)
        assert any(name.strip().lower() in lower for name in names if name.strip()), title
    # Read, not imported: the module imports torch, which takes seconds.
    exports = (ROOT / "trainer/proof/export_figures.py").read_text(encoding="utf-8")
    stage_figures = re.search(r"^STAGE_FIGURES = \((.*?)^\)", exports, re.M | re.S).group(1)
    stage_figures = re.findall(r'"(\w+)"', stage_figures)
    assert "argmax_agreement" in stage_figures
    for name in [*MERGE_CHECKS, *stage_figures]:
        stem = name.removesuffix("_merged")
        assert f"`{name}`" in text or f"`{stem}_export`" in text, name
    assert f"risk at {100 * COVERAGES[2]:.0f} %" in text
    loop = (ROOT / "trainer/loop.py").read_text(encoding="utf-8")
    shown = re.findall(
        r"^            (\w+)=", loop.partition('"train",')[2].partition("return")[0], re.M
    )
    assert {"loss", "padding", "minutes_left"} <= set(shown)
    assert not [name for name in shown if f"`{name}`" not in text]
    tables = (ROOT / "scoring/markdown.py").read_text(encoding="utf-8")
    heads = re.findall(r'"\| system \| choice % ([^"]+)"', tables)
    assert heads
    for column in heads[0].strip(" |").split(" | "):
        assert f"`{column}`" in text, column


def test_the_examples_and_bounds_of_the_guide_to_figures_are_those_of_the_code():
    import math

    from kofinlaw.scoring.settings import ScoreSettings
    from kofinlaw.scoring.stats.intervals import wilson
    from kofinlaw.scoring.stats.paired import holm, mcnemar_exact
    from kofinlaw.trainer.proof.settings import VerifySettings

    for text in (page("figures.md"), page("figures.md", "ko")):
        examples = [
            f"p = {mcnemar_exact(7, 5):.3f}",
            f"p = {mcnemar_exact(1, 9):.3f}",
            "{:.2f} and {:.2f}".format(*holm([0.02, 0.04])),
            f"{holm([0.03, 0.5, 0.5, 0.5, 0.5])[0]:.2f}",
            f"[0, {100 * wilson(0, 14, 0.95)[1]:.1f}] %",
            f"{100 / math.e:.0f} %",
        ]
        missing = [one for one in examples if one not in text.replace("와 ", " and ")]
        assert not missing
        proof = VerifySettings()
        for value in (proof.min_argmax_agreement, proof.max_kl, proof.min_choice_agreement):
            assert f"{value:g}" in text
        assert (proof.max_loss_difference, proof.min_delta_kept) == (0.01, 0.5)
        assert f"{ScoreSettings().confident_from:g}" in text
