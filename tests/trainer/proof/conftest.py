"""The merge tests' pico models, and one merge to prove."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from kofinlaw.records import Question
from kofinlaw.trainer.merge.merge_model import merge_adapter

PICO = Path(__file__).parents[1] / "merge" / "pico.py"


@pytest.fixture(scope="session")
def pico():
    spec = importlib.util.spec_from_file_location("merge_pico", PICO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def base(pico, tmp_path_factory):
    """A Llama whose query and output projections are square, so that factors can be swapped."""
    return pico.write_llama(tmp_path_factory.mktemp("verify") / "base", num_key_value_heads=4)


@pytest.fixture(scope="session")
def adapter(pico, base, tmp_path_factory):
    return pico.write_adapter(tmp_path_factory.mktemp("verify") / "a", base, quantization=pico.NF4)


@pytest.fixture(scope="session")
def merged(base, adapter, tmp_path_factory):
    out = tmp_path_factory.mktemp("verify") / "merged"
    merge_adapter(adapter, base, out)
    return out


@pytest.fixture(scope="session")
def questions():
    return [
        Question(
            f"q{number}",
            f"제{number}조에 따른 의무로 알맞은 것은?",
            ("고지", "보고", "동의", "파기"),
        )
        for number in range(1, 9)
    ]
