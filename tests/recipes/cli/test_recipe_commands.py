"""The commands that show and check a recipe."""

import json

import yaml

from kofinlaw.recipes.pipeline.schema import Recipe, load_recipe


def test_the_policy_check_says_why_and_exits_1(command):
    code, out, _ = command("policy", "check", "quickstart", "--set", "policy=contest-2025")
    assert code == 1
    assert "REFUSED" in out
    assert "2025-07-31" in out
    assert command("policy", "check", "quickstart")[0] == 0


def test_exaone_may_not_teach_qwen(command, tmp_path):
    teacher = "{model: {id: LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct}}"
    code, out, _ = command(
        "policy",
        "check",
        "qwen2.5-7b",
        "--set",
        f"augment.teacher={teacher}",
        "--set",
        "policy=research",
    )
    assert code == 1
    assert "3.1" in out


def test_recipe_show_is_yaml_with_the_origin_of_each_value(command):
    code, out, _ = command("recipe", "show", "quickstart", "--set", "seed=7")
    assert code == 0
    assert max(map(len, out.splitlines())) < 250
    loaded, _ = load_recipe("quickstart", ["seed=7"])
    assert Recipe.model_validate(yaml.safe_load(out)) == loaded
    lines = {line.split(":")[0]: line.split(":", 1)[1] for line in out.splitlines() if ":" in line}
    assert lines["seed"].split("#")[0].strip() == "7"
    assert lines["seed"].endswith("# --set seed, instead of 42 (quickstart.yaml:13)")
    assert "# quickstart.yaml:" in next(line for line in out.splitlines() if "  id: google" in line)
    assert "#" not in lines["  weight_decay"]
    code, said, _ = command("recipe", "show", "quickstart", "--json")
    assert json.loads(said) == load_recipe("quickstart")[0].model_dump(mode="json")


def test_recipe_show_changed_leaves_the_defaults_out(command):
    words = ("recipe", "show", "quickstart", "--changed")
    overrides = ("--set", "train.lora.rank=8", "--set", "seed=42", "--set", "answer.votes=1")
    code, out, _ = command(*words, *overrides)
    assert code == 0
    loaded, _ = load_recipe("quickstart", [word for word in overrides if word != "--set"])
    assert Recipe.model_validate(yaml.safe_load(out)) == loaded
    (rank,) = [line for line in out.splitlines() if "rank:" in line]
    assert "rank: 8" in rank
    assert "instead of" in rank
    for left_out in ("seed", "votes", "weight_decay", "policy"):
        assert f"{left_out}:" not in out
    code, said, _ = command(*words, "--json")
    assert "train" in json.loads(said)
    assert "seed" not in json.loads(said)
    assert json.loads(said)["data"]["sources"][0].keys() == {"path", "license"}


def test_the_schema_for_editors_is_json(command):
    code, out, _ = command("recipe", "schema")
    assert code == 0
    assert "train" in json.loads(out)["properties"]
