"""One config.json for readers of transformers 4 and 5."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import torch

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.trainer.export.environment import Environment, environment_python
from kofinlaw.trainer.merge.merge_model import merge_adapter
from kofinlaw.trainer.merge.merged_config import readable_by_both

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
READER = """
import sys, json, torch
from transformers import AutoModelForCausalLM, AutoTokenizer, __version__
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], torch_dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
text = "제1조는 보고 기한을 정한다."
ids = torch.arange(8, 72)[None]
with torch.no_grad():
    logits = model(ids).logits[0, -1]
print(json.dumps({"version": __version__, "theta": model.config.rope_theta,
                  "scaling": model.config.rope_scaling, "tokens": tokenizer(text).input_ids,
                  "top": logits.topk(5).indices.tolist(), "sum": float(logits.sum())}))
"""


def test_a_config_of_transformers_5_gets_the_keys_of_4():
    config = {"dtype": "bfloat16", "rope_parameters": {**LLAMA3, "rope_theta": 1e6}, "x": 1}
    assert readable_by_both(config, dtype="float16") == {
        "dtype": "float16",
        "torch_dtype": "float16",
        "rope_parameters": {**LLAMA3, "rope_theta": 1e6},
        "rope_theta": 1e6,
        "rope_scaling": LLAMA3,
        "x": 1,
    }


def test_a_config_of_transformers_4_gets_the_keys_of_5():
    config = {"torch_dtype": "bfloat16", "rope_theta": 5e5, "rope_scaling": None}
    both = readable_by_both(config, dtype="bfloat16")
    assert both["rope_parameters"] == {"rope_type": "default", "rope_theta": 5e5}
    assert both["rope_scaling"] is None


def test_local_and_global_rotation_are_kept_apart():
    parameters = {
        "full_attention": {"rope_type": "default", "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
    }
    both = readable_by_both({"rope_parameters": parameters}, dtype="bfloat16")
    assert (both["rope_theta"], both["rope_local_base_freq"]) == (1e6, 1e4)
    old = {key: value for key, value in both.items() if key != "rope_parameters"}
    assert readable_by_both(old, dtype="bfloat16")["rope_parameters"] == parameters


@pytest.mark.parametrize("scaling", [None, LLAMA3])
def test_transformers_reads_the_same_rotation_from_either_form(scaling):
    from transformers import LlamaConfig

    shape = {"hidden_size": 64, "num_attention_heads": 4, "max_position_embeddings": 256}
    scaling = {**scaling, "original_max_position_embeddings": 64} if scaling else None
    old = {**shape, "rope_theta": 2e5, "rope_scaling": scaling}
    both = readable_by_both(old, dtype="bfloat16")
    assert LlamaConfig(**both).rope_parameters == LlamaConfig(**old).rope_parameters
    assert LlamaConfig(**both).rope_parameters["rope_theta"] == 2e5


READER_SCALING = {**LLAMA3, "factor": 4.0, "original_max_position_embeddings": 32}
# Small enough (60 MB) to be made by the test itself where pip has a connection; kept in the cache.
TRANSFORMERS_4 = Environment(
    "transformers-4",
    "transformers 4.46",
    ("transformers==4.46.3", "tokenizers==0.20.3", "huggingface-hub==0.36.2"),
)


@pytest.fixture(scope="module")
def python_with_4():
    """The Python of an environment with transformers 4.46: named, or made once."""
    if named := os.environ.get("KOFINLAW_TRANSFORMERS_4"):
        return named
    try:
        return str(environment_python(TRANSFORMERS_4))
    except UserError as error:
        pytest.skip(f"no environment with transformers 4.46: {error}")


@pytest.mark.slow
def test_transformers_4_reads_the_same_model(tmp_path, pico, python_with_4):
    base = pico.write_llama(
        tmp_path / "base",
        rope_parameters={**READER_SCALING, "rope_theta": 200000.0},
        dtype="float32",
    )
    adapter = pico.write_adapter(tmp_path / "a", base)
    merge_adapter(adapter, base, tmp_path / "m", base="original", dtype="float32")
    command = [python_with_4, "-c", READER, str(tmp_path / "m")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["version"].startswith("4.")
    assert (found["theta"], found["scaling"]) == (200000.0, READER_SCALING)
    with torch.no_grad():
        logits = load_model(tmp_path / "m", dtype="float32")(torch.arange(8, 72)[None]).logits[
            0, -1
        ]
    assert logits.topk(5).indices.tolist() == found["top"]
    assert float(logits.sum()) == pytest.approx(found["sum"], abs=1e-2)

    assert load_tokenizer(tmp_path / "m").encode("제1조는 보고 기한을 정한다.") == found["tokens"]
