"""The commands that show and check a recipe."""

import json


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


def test_recipe_show_prints_every_value_with_its_origin(command):
    code, out, _ = command("recipe", "show", "quickstart", "--set", "seed=7")
    assert code == 0
    lines = dict(line.split(None, 1) for line in out.splitlines())
    assert lines["seed"] == "7  # --set seed"
    assert lines["model.id"].endswith("# quickstart.yaml:16")
    assert lines["train.weight_decay"].endswith("# default")


def test_the_schema_for_editors_is_json(command):
    code, out, _ = command("recipe", "schema")
    assert code == 0
    assert "train" in json.loads(out)["properties"]
