"""The public names of the package: importable, callable, lazy, and explained."""

import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("sources", Path(__file__).with_name("sources.py"))
sources = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sources)

ROOMS = ["kofinlaw", *(f"kofinlaw.{room}" for room in sources.ROOMS)]
# The names that the documentation explains; each room may export more.
PROMISED = {
    "kofinlaw": ["open_run", "run"],
    "kofinlaw.data": ["build_corpus", "DataSettings"],
    "kofinlaw.augment": ["generate_examples", "AugmentSettings"],
    "kofinlaw.models": ["open_engine", "ModelSettings", "EngineSettings"],
    "kofinlaw.trainer": [
        "train",
        "TrainSettings",
        "merge_adapter",
        "MergeSettings",
        "prove_merge",
        "VerifySettings",
    ],
    "kofinlaw.rag": [
        "build_index",
        "Index",
        "Retriever",
        "RagSettings",
        "answer_questions",
        "AnswerSettings",
        "ask_question",
    ],
    "kofinlaw.scoring": ["score_answers", "ScoreSettings", "write_report"],
    "kofinlaw.recipes": ["open_run", "run_recipe"],
}
HEAVY = ("torch", "transformers", "peft", "trl", "datasets", "lancedb", "kiwipiepy", "pydantic")


def public(room: str) -> list[str]:
    return list(importlib.import_module(room).__all__)


@pytest.mark.parametrize("room", ROOMS)
def test_the_promised_names_are_exported(room):
    assert set(PROMISED[room]) <= set(public(room))


@pytest.mark.parametrize("room", ROOMS)
def test_no_public_name_is_the_name_of_a_module_next_to_it(room):
    """A submodule that was imported is an attribute of its package and hides a lazy name."""
    folder = Path(importlib.import_module(room).__file__).parent
    modules = {path.stem for path in folder.glob("*.py")}
    modules |= {path.name for path in folder.iterdir() if path.is_dir()}
    assert not modules & set(public(room))


def test_public_names_survive_the_import_of_every_module():
    """In one process: first every module, then every public name of every room."""
    modules = [sources.module_name(path) for path in sources.source_files()]
    # These run in another environment, or need a server's library.
    foreign = {"kofinlaw.trainer.export.worker", "kofinlaw.__main__"}
    code = f"""
import importlib, json
for name in {[m for m in modules if m not in foreign]!r}:
    importlib.import_module(name)
missing = []
for room, names in {{room: importlib.import_module(room).__all__ for room in {ROOMS!r}}}.items():
    for name in names:
        value = getattr(importlib.import_module(room), name)
        if not callable(value):
            kind = type(value).__name__
            missing.append([room, name, kind])
print(json.dumps(missing))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_explain_themselves(room):
    """A docstring of more than a repeated name; functions and settings say what they raise."""
    for name in public(room):
        value = getattr(importlib.import_module(room), name)
        if not callable(value) or isinstance(value, type(list[int])):
            continue
        text = inspect.getdoc(value) or ""
        assert len(text.split()) >= 4, f"{room}.{name} has no docstring"
        if inspect.isfunction(value) or hasattr(value, "model_fields"):
            assert "aise" in text, f"{room}.{name} does not say what it raises"


def test_listing_a_room_shows_its_public_names():
    for room in ROOMS:
        assert set(public(room)) <= set(dir(importlib.import_module(room)))


def test_an_unknown_name_is_an_attribute_error():
    for room in ROOMS:
        with pytest.raises(AttributeError, match="no_such_name"):
            _ = importlib.import_module(room).no_such_name


def test_importing_the_package_and_its_rooms_loads_nothing_heavy():
    code = "import sys\n" + "\n".join(f"import {room}" for room in ROOMS)
    code += f"\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
