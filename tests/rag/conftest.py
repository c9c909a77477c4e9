"""Lets the tests of this folder import what they share: `acts`, `commands`, `corpora`,
`simulation`, `worlds`."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import simulation
from acts import OTHER, VERSIONS, indexed
from commands import Typed
from corpora import write_chunks

from kofinlaw.rag.index.index import Index


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Forty multiple-choice questions and five free-text questions."""
    return simulation.question_file(tmp_path, 40, 5, random.Random(1))


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Twenty multiple-choice questions and three free-text questions."""
    return simulation.question_file(tmp_path, 20, 3, random.Random(3))


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Runs `kofinlaw WORDS` as a user types it."""
    from kofinlaw.recipes.cli.entry import main

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["kofinlaw", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as error:
            code = int(error.code or 0)
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return call


@pytest.fixture
def chunks(tmp_path: Path) -> Path:
    """A chunk file of five articles."""
    return write_chunks(tmp_path)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """가람법 in three versions, the last yet to come, and 나래법 in one."""
    return indexed(tmp_path, {"가람법": VERSIONS, "나래법": OTHER})
