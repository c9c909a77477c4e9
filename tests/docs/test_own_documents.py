"""The guide to own documents: its commands run as printed, in English and in Korean."""

import importlib.util
import io
import re
import shlex
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("docs/guides/own-documents.md", "docs/ko/guides/own-documents.md")

_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)
pico, command, typed = pico_run.pico, pico_run.command, pico_run.typed  # fixtures


def commands(page):
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


def test_both_languages_show_the_same_commands():
    english, korean = (commands(page) for page in GUIDES)
    assert english == korean
    assert len(english) == 9


def test_the_commands_run_as_printed(pico, monkeypatch, tmp_path, typed):
    # A pico model and no embedder, so that the test takes seconds.
    monkeypatch.setattr("kofinlaw.recipes.starting.init_recipe.embedder_at_hand", lambda: None)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(pico / "docs", tmp_path / "rules")
    for words in commands(GUIDES[0]):
        assert words[0] == "kofinlaw"
        if "<" in words:
            monkeypatch.setattr(
                "sys.stdin", io.StringIO("문서를 보관하는 기간은?\n누가 보고하는가?\n")
            )
            words = words[: words.index("<")]
        model = ["--model", str(pico / "model")] if words[1] == "init" else []
        code, said = typed(*words[1:], *model)
        assert code == 0, (words, said)
    assert sorted(path.name for path in tmp_path.glob("*.yaml")) == [
        "rules.yaml",
        "trained.yaml",
        "untested.yaml",
    ]
