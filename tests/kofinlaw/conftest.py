from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location(
    "sample_files", Path(__file__).parents[1] / "data" / "sample_files.py"
)
assert _spec is not None
assert _spec.loader is not None
sample_files = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sample_files)


@pytest.fixture(scope="session")
def build():
    """The function that builds a corpus of sources."""
    return sample_files.build


@pytest.fixture
def act(tmp_path):
    """A folder with one act."""
    folder = tmp_path / "acts"
    folder.mkdir()
    (folder / "가람법.md").write_text(sample_files.ACT, encoding="utf-8")
    return folder
