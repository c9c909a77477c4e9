"""The samples as a fixture: tests are not packages and cannot import each other."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples():
    path = Path(__file__).parent / "bench_samples.py"
    spec = importlib.util.spec_from_file_location("bench_samples", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
