"""Commands that kofinlaw prints: a shell runs them as printed."""

import shlex
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.commands import again_command, command_line, program, same_command, stage_command

WORDS = st.lists(st.text(st.characters(exclude_characters="\x00\n\r"), min_size=1), max_size=4)


@given(WORDS)
def test_a_shell_reads_the_words_that_were_given(words):
    line = command_line(*words, comment="무엇인지")
    assert shlex.split(line, comments=True)[len(program()) :] == words


def test_the_program_is_named_as_the_shell_finds_it(monkeypatch, tmp_path):
    tool = tmp_path / "bin dir" / "kofinlaw"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", [str(tool), "run", "a"])
    assert program() == [str(tool)]
    assert command_line("doctor") == f"'{tool}' doctor"
    package = tmp_path / "kofinlaw" / "__main__.py"
    monkeypatch.setattr(sys, "argv", [str(package)])
    assert program() == [sys.executable, "-m", "kofinlaw"]
    monkeypatch.setenv("PATH", str(tool.parent))
    assert program() == ["kofinlaw"]


def test_the_same_command_continues(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: name)
    again = same_command(["run", "내 규정.yaml", "--resume", "never", "--set", "seed=1"])
    assert again == "kofinlaw run '내 규정.yaml' --set seed=1"
    assert same_command(["data", "a", "--resume=never"]) == "kofinlaw data a"
    assert same_command(["data", "a", "--resume", "always"]) == "kofinlaw data a --resume always"


def test_a_run_knows_the_command_of_its_stages(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: name)
    run = tmp_path / "a b"
    run.mkdir()
    assert stage_command("index", run) == "kofinlaw run RECIPE --until index"
    (run / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    words = shlex.split(stage_command("index", run))
    assert words == [
        "kofinlaw",
        "run",
        f"{run}/recipe.yaml",
        "--folder",
        f"{run}",
        "--until",
        "index",
    ]
    assert Path(words[2]).is_file()


def test_a_stage_of_a_study_is_run_again_by_study(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: name)
    run = tmp_path / "retriever-study"
    (run / "asked").mkdir(parents=True)
    recipe = run / "recipe.yaml"
    recipe.write_text("name: retriever-study\n", encoding="utf-8")
    same = f"kofinlaw study {recipe} --runs {tmp_path}"
    assert stage_command("score", run) == same
    assert again_command("score", run) == f"{same} --again score"
