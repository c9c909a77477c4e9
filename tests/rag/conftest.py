"""Lets the tests of this folder import what they share: `corpora`, `simulation`, `worlds`."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import simulation


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Forty multiple choices and five to answer freely."""
    return simulation.question_file(tmp_path, 40, 5, random.Random(1))


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Twenty multiple choices and three to answer freely."""
    return simulation.question_file(tmp_path, 20, 3, random.Random(3))
