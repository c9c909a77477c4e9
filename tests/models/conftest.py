from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("pico", Path(__file__).with_name("pico.py"))
assert _spec is not None
assert _spec.loader is not None
pico = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico)


@pytest.fixture(name="pico", scope="session")
def pico_module():
    return pico


@pytest.fixture(scope="session")
def llama(tmp_path_factory):
    return pico.save_llama(tmp_path_factory.mktemp("llama") / "model")


@pytest.fixture(scope="session")
def gemma(tmp_path_factory):
    return pico.save_gemma(tmp_path_factory.mktemp("gemma") / "model")


@pytest.fixture(scope="session")
def gguf(llama, tmp_path_factory):
    return pico.save_gguf(llama, tmp_path_factory.mktemp("gguf") / "pico.gguf")
