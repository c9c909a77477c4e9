"""Lets the tests of this folder import `code_graph` and `counts`, and gives them a copy of the code."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import code_graph

from kofinlaw.recipes.pipeline import code_hash

CACHES = shutil.ignore_patterns("sample", "__pycache__")


@pytest.fixture
def code_copy(tmp_path, monkeypatch):
    """A copy of the package whose code is hashed instead of the imported code."""
    copy = tmp_path / "elsewhere" / "kofinlaw"
    copy.mkdir(parents=True)
    for path in (code_graph.ROOT / "kofinlaw").glob("*.py"):
        shutil.copy(path, copy)
    for package in code_graph.PACKAGES:
        shutil.copytree(code_graph.ROOT / package, copy / package, ignore=CACHES)

    def code_path(name: str) -> Path:
        path = copy.joinpath(*name.split(".")[1:])
        return path if path.is_dir() else path.with_suffix(".py")

    monkeypatch.setattr(code_hash, "code_path", code_path)
    code_hash.code_sha256.cache_clear()
    yield copy
    code_hash.code_sha256.cache_clear()
