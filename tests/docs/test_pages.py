"""The documentation: its Python runs, its map names real files, its Korean pages are complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "README.ko.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^( *)```python[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"`([\w./-]+\.(?:py|yaml|toml|html|jinja|md))(?::(\w+))?`")


def snippets(page: Path) -> list[str]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


WITH_PYTHON = [page for page in PAGES if page.is_file() and snippets(page)]


def test_some_page_shows_python():
    assert WITH_PYTHON


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_python_of_a_page_runs_as_printed(page, tmp_path):
    """All blocks of a page in order, in one process, in an empty folder."""
    code = "\n\n".join(snippets(page))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, f"{code}\n\n{done.stdout}\n{done.stderr[-3000:]}"


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
