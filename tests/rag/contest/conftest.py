"""The script of the contest folder, as text and as a module."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from kofinlaw.rag.contest.folder import SCRIPT
from kofinlaw.rag.contest.inlining import inline


@pytest.fixture(scope="module")
def script() -> str:
    return inline(SCRIPT.read_text(encoding="utf-8"))


@pytest.fixture
def answering(tmp_path: Path, script: str) -> Any:
    """The written script as a module."""
    path = tmp_path / "answer.py"
    path.write_text(script, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("contest_answer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["contest_answer"] = module
    spec.loader.exec_module(module)
    return module
