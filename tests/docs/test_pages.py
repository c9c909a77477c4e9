"""The documentation: its Python runs, its map names real files, its Korean pages are complete."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)
pico = pico_run.pico  # the fixture: a recipe with its documents, questions and model
PAGES = [ROOT / "README.md", ROOT / "README.ko.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^( *)```python[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"`([\w./-]+\.(?:py|yaml|toml|html|jinja|md))(?::(\w+))?`")


def snippets(page: Path) -> list[str]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def programs() -> dict[str, str]:
    """The Python of each page as one program; pages with the same program are named once."""
    found: dict[str, str] = {}
    for page in PAGES:
        code = "\n\n".join(snippets(page))
        if code and code not in found.values():
            found[page.relative_to(ROOT).as_posix()] = code
    return found


PROGRAMS = programs()


@pytest.fixture(scope="module")
def prepared(pico, tmp_path_factory) -> Path:
    """What the pages name: a recipe with its run, a corpus, a model and examples. All are tiny."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(pico, folder, dirs_exist_ok=True)
    (folder / "acts-of-the-corpus").mkdir()
    for title, act in zip(
        ("전자서명법", "전자서명법 시행령", "기록 규정"), pico_run.ACTS, strict=True
    ):
        text = pico_run.ACT.format(**{**act, "title": title})
        (folder / "acts-of-the-corpus" / f"{title}.md").write_text(text, encoding="utf-8")
    run_python(
        "from pathlib import Path\n"
        "import kofinlaw\n"
        "from kofinlaw.data import DataSettings, build_corpus\n"
        "kofinlaw.run('recipe.yaml', until='index')\n"
        "settings = DataSettings(sources=['acts-of-the-corpus'])\n"
        "build_corpus(settings, Path('corpus'), base=Path('.'))\n",
        folder,
    )
    (folder / "runs/quickstart").symlink_to("pico")
    (folder / "MODEL").symlink_to("model")
    (folder / "examples.jsonl").symlink_to("runs/pico/augment/examples.jsonl")
    return folder


def run_python(code: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "KOFINLAW_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{code}\n\n{done.stdout}\n{done.stderr[-3000:]}"


@pytest.mark.slow
@pytest.mark.parametrize("page", PROGRAMS)
def test_the_python_of_a_page_runs_as_printed(page, prepared):
    """All blocks of a page in order, in one process."""
    run_python(PROGRAMS[page], prepared)


def test_python_is_marked_as_python():
    """So that the test above runs it: no block with an import is marked otherwise."""
    fence = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
    for page in PAGES:
        for language, code in fence.findall(page.read_text(encoding="utf-8")):
            shows_python = re.search(r"^ *(import|from \S+ import) ", code, re.MULTILINE)
            assert language == "python" or not shows_python, f"{page}: {code}"


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
