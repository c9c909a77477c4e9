"""The commands as a person types them: what they print, and how they exit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kofinlaw.recipes.cli import entry as cli

ACT = """---
제목: 전자서명법
법령ID: '000001'
법령구분: 법률
시행일자: {day}
공포일자: {day}
---

# 전자서명법

##### 제1조 (목적)

이 법은 전자문서의 안전성을 확보하기 위하여 {what}을 정함을 목적으로 한다.
"""


def run(capsys, monkeypatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["kofinlaw", *arguments])
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    out = capsys.readouterr()
    return code, out.out, out.err


def git(folder: Path, *arguments: str, day: str) -> None:
    stamp = f"{day}T09:00:00+09:00"
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp},
    )


@pytest.fixture
def statutes(tmp_path) -> Path:
    """A git clone of one statute: the version of 2024, and one of 2026 on top."""
    folder = tmp_path / "statutes"
    folder.mkdir()
    git(folder, "init", "-q", day="2024-01-02")
    for day, what in (("2024-01-02", "기본적인 사항"), ("2026-01-02", "새로운 사항")):
        (folder / "전자서명법.md").write_text(ACT.format(day=day, what=what), encoding="utf-8")
        git(folder, "add", ".", day=day)
        git(folder, "commit", "-q", "-m", day, day=day)
    return folder


@pytest.mark.parametrize("recipe", ["exaone-3.5-7.8b", "solar-10.7b", "qwen2.5-7b"])
def test_the_card_recipes_plan_without_weights(capsys, monkeypatch, tmp_path, statutes, recipe):
    code, out, _ = run(
        capsys, monkeypatch, "plan", recipe, "--json", "--runs", str(tmp_path),
        "--set", f"data.sources={statutes}", "--set", "train.memory_limit_gib=24",
    )  # fmt: skip
    plan = json.loads(out)
    disk_alone = [problem for problem in plan["problems"] if "GiB free" not in problem]
    assert disk_alone == []
    assert code == (0 if plan["ok"] else 1)
    assert 4 < plan["memory"]["total_gib"] < 24
    assert plan["memory"]["micro_batch"] >= 1
    assert plan["answering"]["budget_minutes"] == 270


def test_text_in_force_after_the_cut_off_is_refused_with_its_date(
    capsys, monkeypatch, tmp_path, statutes
):
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "전자서명법.md").write_text((statutes / "전자서명법.md").read_text("utf-8"), "utf-8")
    code, out, _ = run(
        capsys, monkeypatch, "plan", "qwen2.5-7b", "--json", "--runs", str(tmp_path),
        "--set", f"data.sources={plain}", "--set", "data.as_of=null",
    )  # fmt: skip
    assert code == 1
    assert any("전자서명법" in p and "2026-01-02" in p for p in json.loads(out)["problems"])


def test_the_contest_refuses_the_sample_corpus(capsys, monkeypatch, tmp_path):
    code, out, _ = run(
        capsys, monkeypatch, "plan", "quickstart", "--json", "--runs", str(tmp_path),
        "--set", "policy=contest-2025",
    )  # fmt: skip
    problems = "\n".join(json.loads(out)["problems"])
    assert code == 1
    assert "gemma-3-270m" in problems
    assert "2026" in problems


def test_the_policy_check_says_why_and_exits_1(capsys, monkeypatch):
    code, out, _ = run(
        capsys, monkeypatch, "policy", "check", "quickstart", "--set", "policy=contest-2025"
    )
    assert code == 1
    assert "REFUSED" in out
    assert "2025-07-31" in out
    assert run(capsys, monkeypatch, "policy", "check", "quickstart")[0] == 0


def test_exaone_may_not_teach_qwen(capsys, monkeypatch, tmp_path):
    teacher = "{model: {id: LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct}}"
    code, out, _ = run(
        capsys, monkeypatch, "policy", "check", "qwen2.5-7b", "--set", f"augment.teacher={teacher}",
        "--set", "policy=research",
    )  # fmt: skip
    assert code == 1
    assert "3.1" in out


def test_recipe_show_prints_every_value_with_its_origin(capsys, monkeypatch):
    code, out, _ = run(capsys, monkeypatch, "recipe", "show", "quickstart", "--set", "seed=7")
    assert code == 0
    lines = dict(line.split(None, 1) for line in out.splitlines())
    assert lines["seed"] == "7  # --set seed"
    assert lines["model.id"].endswith("# quickstart.yaml:16")
    assert lines["train.weight_decay"].endswith("# default")


def test_the_schema_for_editors_is_json(capsys, monkeypatch):
    code, out, _ = run(capsys, monkeypatch, "recipe", "schema")
    assert code == 0
    assert "train" in json.loads(out)["properties"]


def test_a_misspelt_recipe_is_one_error_without_a_traceback(capsys, monkeypatch):
    code, _, err = run(capsys, monkeypatch, "plan", "quickstrt")
    assert code == 1
    assert err.startswith("error: quickstrt: no such recipe")
    assert "did you mean quickstart" in err


def test_a_fault_of_ours_shows_a_traceback_and_names_the_log(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kofinlaw.recipes.pipeline.schema.resolved_yaml", lambda recipe: 1 / 0)
    monkeypatch.setattr("kofinlaw.models.listing.listing_rows", lambda *given: 1 / 0)
    code, _, err = run(capsys, monkeypatch, "models")
    assert code == 70
    assert "ZeroDivisionError" in err
    assert "kofinlaw-error.log" in err
    assert "ZeroDivisionError" in (tmp_path / "kofinlaw-error.log").read_text()


def test_models_and_doctor_speak_json(capsys, monkeypatch):
    code, out, _ = run(capsys, monkeypatch, "models", "--json", "--policy", "contest-2025")
    assert code == 0
    rows = {row["id"]: row for row in json.loads(out)}
    assert rows["Qwen/Qwen2.5-7B-Instruct"]["allowed"]
    assert not rows["google/gemma-3-270m"]["allowed"]
    _, out, _ = run(capsys, monkeypatch, "doctor", "--json")
    names = {finding["name"] for finding in json.loads(out)["findings"]}
    assert {"transformers", "trl"} <= names


def test_ask_without_a_run_says_how_to_make_one(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, monkeypatch, "ask", "언제까지 보고하나요?")
    assert code == 1
    assert "kofinlaw run quickstart" in err


def test_a_damaged_ledger_is_refused_or_forgotten_as_resume_says(
    pico, capsys, monkeypatch, tmp_path
):
    teacher = f"{{model: {{id: pico/pico-llama, path: {pico / 'model'}}}, engine: {{engine: dummy}}, items: 2}}"
    command = ["augment", str(pico / "recipe.yaml"), "--runs", str(tmp_path)]
    command += ["--set", f"augment.teacher={teacher}", "--resume"]
    code, _, err = run(capsys, monkeypatch, *command, "always")
    assert (code, "there is no ledger to go on with" in err) == (1, True)
    ledger = tmp_path / "pico" / "teacher.ledger.jsonl"
    ledger.write_text("{damaged\n", encoding="utf-8")
    code, _, err = run(capsys, monkeypatch, *command, "always")
    assert (code, "teacher.ledger.jsonl:1" in err) == (1, True)
    code, _, err = run(capsys, monkeypatch, *command, "never")
    assert code == 0, err
    assert not ledger.exists() or "damaged" not in ledger.read_text(encoding="utf-8")


def test_several_formats_are_named_by_commas(capsys, monkeypatch, tmp_path):
    from kofinlaw.recipes.cli.model_commands import _export_settings

    assert _export_settings("gguf,bnb-4bit, hf,gguf-q8_0").formats == (
        "gguf-q8_0",
        "bnb-4bit",
        "hf",
    )
    command = ["export", str(tmp_path), "--out", str(tmp_path / "out"), "--to"]
    code, _, err = run(capsys, monkeypatch, *command, "gguf,gguff")
    assert (code, "no such format: gguff" in err) == (1, True)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    push = ["--push", "owner/model", "--token", "t"]
    code, _, err = run(capsys, monkeypatch, *command, "gguf,hf", *push)
    assert (code, "one repository takes one format" in err) == (1, True)
