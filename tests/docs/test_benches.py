"""The guide to evaluation sets: its commands run as printed, its names and messages exist."""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

from kofinlaw.rag.benches.sets import BENCH_SETS

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)
pico, command, typed = pico_run.pico, pico_run.command, pico_run.typed  # fixtures

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
# Without training, and with an engine without weights, so that the test takes seconds.
RECIPE = (
    pico_run.RECIPE.replace("name: pico", "name: rules")
    .replace("engine: {dtype: float32}", "engine: {engine: dummy}")
    .replace(
        "evaluate: {questions: questions.jsonl, key: key.jsonl}",
        "ask_only: true\nevaluate: {systems: [base, base-rag]}",
    )
)


def page(language=""):
    return (ROOT / "docs" / language / "guides" / "benches.md").read_text(encoding="utf-8")


def blocks(text, kind):
    return [block for found, block in BLOCK.findall(text) if found == kind]


def test_both_languages_show_the_same_commands_files_and_messages():
    english, korean = page(), page("ko")
    for kind in ("", "csv"):
        assert blocks(english, kind) == blocks(korean, kind)
    codes = [set(re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))) for text in (english, korean)]
    assert codes[0] == codes[1]


def test_the_table_lists_every_set_with_its_licence():
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    for name, one in BENCH_SETS.items():
        row = next(line for line in rows if f"`{name}`" in line)
        licence = "your own data" if name == "autorag" else one.license.partition(":")[0]
        assert licence in row, name


def test_the_commands_run_as_printed(pico, monkeypatch, tmp_path, typed):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(pico / "docs", tmp_path / "docs")
    shutil.copytree(pico / "model", tmp_path / "model")
    (tmp_path / "rules.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "Bank-test.csv").write_text(blocks(page(), "csv")[0], encoding="utf-8")
    code, said = typed("index", "rules.yaml")
    assert code == 0, said
    for line in blocks(page(), "")[0].splitlines():
        code, said = typed(*shlex.split(line)[1:])
        assert code == 0, (line, said)
    assert "| base-rag | 3 |" in said
    assert (tmp_path / "runs/rules/bench/kmmlu/Bank-test/bench.md").is_file()
