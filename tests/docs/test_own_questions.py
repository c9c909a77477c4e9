"""The guides to own questions and to trouble: their commands run, or are read, as printed."""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)
pico, command, typed = pico_run.pico, pico_run.command, pico_run.typed  # fixtures

FILE = re.compile(r"^`([\w.]+)`:\n\n```(?:csv|json)\n(.*?)^```", re.M | re.S)
# Without training, and with an engine without weights, so that the test takes seconds.
RECIPE = (
    pico_run.RECIPE.replace("name: pico", "name: rules")
    .replace("engine: {dtype: float32}", "engine: {engine: dummy}")
    .replace(
        "evaluate: {questions: questions.jsonl, key: key.jsonl}",
        ("ask_only: true\nevaluate: {systems: [base, base-rag]}"),
    )
)


def page(name, language=""):
    return (ROOT / "docs" / language / "guides" / name).read_text(encoding="utf-8")


def commands(text):
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)
    return [line for kind, block in blocks if not kind for line in block.splitlines()]


@pytest.mark.parametrize("name", ["own-questions.md", "resume.md"])
def test_both_languages_show_the_same_commands_and_files(name):
    english, korean = page(name), page(name, "ko")
    assert commands(english) == commands(korean)
    assert len(commands(english)) >= 5
    assert FILE.findall(english) == FILE.findall(korean)


def test_the_commands_on_own_questions_run_as_printed(pico, monkeypatch, tmp_path, typed):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(pico / "docs", tmp_path / "docs")
    shutil.copytree(pico / "model", tmp_path / "model")
    (tmp_path / "rules.yaml").write_text(RECIPE, encoding="utf-8")
    text = page("own-questions.md")
    files = FILE.findall(text)
    assert [name for name, _ in files] == ["questions.csv", "key.csv", "key.jsonl", "exam.csv"]
    for name, content in files:
        (tmp_path / name).write_text(content, encoding="utf-8")
    code, said = typed("run", "rules.yaml")
    assert code == 0, said
    before = set(tmp_path.iterdir())
    printed = []
    for line in commands(text):
        program, *words = shlex.split(line, comments=True)
        assert program == "kofinlaw"
        code, said = typed(*words)
        assert code == 0, (words, said)
        printed.append(said)
    assert set(tmp_path.iterdir()) == before, "commands write into the run only"
    for folder in re.findall(r"`(runs/rules/[\w/]+/)`", text):
        assert (tmp_path / folder).is_dir(), folder
    assert "| base-rag |" in printed[-1]


def test_the_commands_on_trouble_are_read_by_the_command_line():
    for line in commands(page("resume.md")):
        pico_run.check_command(line)
