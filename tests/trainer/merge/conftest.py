"""The pico models as a fixture: tests are not packages and cannot import one another."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


def load_pico():
    path = Path(__file__).parent / "pico.py"
    spec = importlib.util.spec_from_file_location("merge_pico", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pico():
    return load_pico()


@pytest.fixture(scope="session")
def llama(pico, tmp_path_factory):
    """A bf16 Llama in several shards."""
    return pico.write_llama(tmp_path_factory.mktemp("base") / "llama", max_shard_size="60KB")


@pytest.fixture(scope="session")
def adapter(pico, llama, tmp_path_factory):
    """An adapter trained on the NF4 form of `llama`."""
    return pico.write_adapter(
        tmp_path_factory.mktemp("adapter") / "nf4", llama, quantization=pico.NF4
    )


@pytest.fixture(scope="session")
def plain_adapter(pico, llama, tmp_path_factory):
    """An adapter trained on the 16-bit form of `llama`."""
    return pico.write_adapter(tmp_path_factory.mktemp("adapter") / "plain", llama)
