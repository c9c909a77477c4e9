"""Settings of all tests: no property test fails because a machine is slow."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

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
