"""Notes before an answer: which model, and a card that another process is using."""

import os
import subprocess
import sys

import pytest

from kofinlaw.recipes.pipeline.evaluation.serving_notes import HIDDEN_CARD, serving_notes
from kofinlaw.recipes.pipeline.lock import is_written
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe

HOLD = """
import sys
from pathlib import Path
from kofinlaw.recipes.pipeline.lock import run_lock
with run_lock(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run(pico, tmp_path):
    loaded = load_recipe(str(pico / "recipe.yaml"), ["evaluate={}"])
    bound = bind(*loaded, tmp_path / "runs", cache=tmp_path / "cache")
    bound.folder.mkdir(parents=True)
    return bound


@pytest.fixture
def writing(run):
    """Another process that holds the run's lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.communicate("")


def test_the_notes_say_which_model_answers(run):
    (note,) = serving_notes(run)
    assert "no merged model yet" in note
    (run.folder / "merge" / "model").mkdir(parents=True)
    (note,) = serving_notes(run)
    assert "not proven" in note


def test_a_run_that_is_written_keeps_its_card(run, writing, monkeypatch):
    monkeypatch.setattr("kofinlaw.models.doctor.gpu_memory_gib", lambda: 24.0)
    monkeypatch.setenv(HIDDEN_CARD, "0")
    assert is_written(run.folder)
    notes = serving_notes(run)
    assert "comes from the processor" in notes[-1]
    assert os.environ[HIDDEN_CARD] == ""
    writing.communicate("")
    assert not is_written(run.folder)


def test_without_a_card_or_another_process_nothing_is_hidden(run, writing, monkeypatch):
    monkeypatch.setattr("kofinlaw.models.doctor.gpu_memory_gib", lambda: None)
    monkeypatch.setenv(HIDDEN_CARD, "0")
    assert "slower" in serving_notes(run)[-1]
    writing.communicate("")
    assert len(serving_notes(run)) == 1
    assert os.environ[HIDDEN_CARD] == "0"
