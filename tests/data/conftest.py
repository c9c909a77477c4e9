from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
# Benchmarks import `outcome.py` from their own folder; last in the path, so that they shadow nothing.
sys.path.append(str(ROOT / "benchmarks"))

_spec = importlib.util.spec_from_file_location(
    "sample_files", Path(__file__).with_name("sample_files.py")
)
assert _spec is not None
assert _spec.loader is not None
sample_files = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sample_files)


@pytest.fixture(scope="session")
def files():
    """The module that makes tiny files of every format."""
    return sample_files


@pytest.fixture(scope="session")
def build():
    """The function that builds a corpus of sources."""
    return sample_files.build


@pytest.fixture(scope="session")
def shared():
    if not SHARED.is_dir():
        pytest.skip("the development data next to the repository is absent")
    return SHARED


@pytest.fixture
def act(tmp_path):
    """A folder with one act."""
    folder = tmp_path / "acts"
    folder.mkdir()
    (folder / "가람법.md").write_text(sample_files.ACT, encoding="utf-8")
    return folder
