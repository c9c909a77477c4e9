"""Settings of all tests: no property test fails because a machine is slow."""

from __future__ import annotations

import contextlib
import importlib.util
import resource
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("kofinlaw", deadline=None)
hypothesis.settings.load_profile("kofinlaw")


@contextlib.contextmanager
def _limited(which: int, most: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(which)
    resource.setrlimit(which, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(which, (soft, hard))


@pytest.fixture
def no_more_files():
    """A context in which this process really cannot open another file (EMFILE)."""
    return lambda: _limited(resource.RLIMIT_NOFILE, 0)


@pytest.fixture
def small_files():
    """A context in which no file may grow beyond the given bytes (EFBIG, as on a full disk)."""
    return lambda most: _limited(resource.RLIMIT_FSIZE, most)


@pytest.fixture(scope="session")
def save_embedder():
    """`pico.save_embedder` of the models' tests: tests are not packages and cannot import it."""
    path = Path(__file__).parent / "models" / "pico.py"
    spec = importlib.util.spec_from_file_location("models_pico", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.save_embedder
