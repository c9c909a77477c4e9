"""The documentation: its Python runs, its map names real files, its Korean pages are complete."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "README.ko.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^( *)```python[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
TOPS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"runs", "build"}
PATH = re.compile(r"`([\w./-]+\.(?:py|yaml|toml|html|jinja|md))(?::(\w+))?`")


def snippets(page: Path) -> list[str]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)
pico = pico_run.pico  # the fixture: a recipe with its documents, questions and model
WITH_PYTHON = [page for page in PAGES if page.is_file() and snippets(page)]


def test_some_page_shows_python():
    assert WITH_PYTHON


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KOFINLAW_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=environment
    )


@pytest.fixture(scope="session")
def desk(pico, tmp_path_factory) -> Path:
    """What the pages' code finds in its folder, in miniature.

    `recipe.yaml`, the run `runs/quickstart`, a model in `MODEL`, and `examples.jsonl`.
    """
    folder = tmp_path_factory.mktemp("desk")
    for name in ("docs", "model", "recipe.yaml", "questions.jsonl", "key.jsonl"):
        source = pico / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    (folder / "model").rename(folder / "MODEL")
    text = (
        (folder / "recipe.yaml").read_text(encoding="utf-8").replace("path: model", "path: MODEL")
    )
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"{act['term']}의 보고 기한은?"},
                {"role": "assistant", "content": f"{act['days']}일 이내입니다."},
            ]
        }
        for act in pico_run.ACTS
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows * 4)
    (folder / "examples.jsonl").write_text(lines, encoding="utf-8")
    done = python(
        "import kofinlaw\nkofinlaw.run('recipe.yaml', folder='runs/quickstart', until='index')",
        folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_python_of_a_page_runs_as_printed(page, desk, tmp_path):
    """All blocks of a page in order, in one process, in a copy of the desk."""
    folder = tmp_path / "desk"
    shutil.copytree(desk, folder)
    code = "\n\n".join(snippets(page))
    done = python(code, folder)
    assert done.returncode == 0, f"{code}\n\n{done.stdout}\n{done.stderr[-3000:]}"


def test_no_page_hides_python_in_a_block_of_another_kind():
    """A block that imports kofinlaw is marked `python`, so that it runs."""
    for page in PAGES:
        for block in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
            if re.search(r"^(import|from) kofinlaw", block[1], re.MULTILINE):
                assert block[0] == "python", f"{page}: {block[1][:80]}"


def test_the_map_names_files_that_exist():
    rows = [
        line
        for line in (DOCS / "map.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and PATH.search(line)
    ]
    assert len(rows) >= 40
    for row in rows:
        for name, symbol in PATH.findall(row):
            path = ROOT / name
            assert path.is_file(), f"{name} in: {row}"
            if symbol:
                text = path.read_text(encoding="utf-8")
                pattern = rf"\b(def|class) {symbol}\b|^{symbol}\b|^    {symbol}:"
                assert re.search(pattern, text, re.MULTILINE), f"{name}:{symbol}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_source_files_that_a_page_names_exist(page):
    for name, _ in PATH.findall(page.read_text(encoding="utf-8")):
        if "/" in name and name.split("/")[0] in TOPS:
            assert (ROOT / name).is_file(), f"{page.name} names {name}"


def test_every_folder_of_the_package_is_on_the_map():
    text = (DOCS / "map.md").read_text(encoding="utf-8")
    for room in ("data", "models", "augment", "trainer", "rag", "scoring", "recipes"):
        for folder in [ROOT / room, *(ROOT / room).rglob("*")]:
            if folder.is_dir() and (folder / "__init__.py").is_file():
                name = folder.relative_to(ROOT).as_posix()
                assert f"`{name}/" in text, name


@pytest.mark.parametrize("page", sorted((DOCS / "guides").glob("*.md")), ids=lambda p: p.stem)
def test_each_guide_has_a_korean_page(page):
    korean = DOCS / "ko" / "guides" / page.name
    assert korean.is_file()
    text = korean.read_text(encoding="utf-8")
    letters = re.findall(r"[가-힣]", text)
    assert len(letters) > 300, "a Korean page is written in Korean"
    code = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    commands = {
        line.strip()
        for block in code.findall(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line.strip().startswith("kofinlaw ")
    }
    for command in commands:
        assert " ".join(command.split()[:2]) in text, command
