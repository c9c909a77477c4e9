"""The merged folder under other readers, and under a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.trainer.export.environment import Environment, environment_python
from kofinlaw.trainer.merge.merge_model import merge

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
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


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
        tmp_path / "base", rope_parameters={**LLAMA3, "rope_theta": 200000.0}, dtype="float32"
    )
    adapter = pico.write_adapter(tmp_path / "a", base)
    merge(adapter, base, tmp_path / "m", base="original", dtype="float32")
    command = [python_with_4, "-c", READER, str(tmp_path / "m")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["version"].startswith("4.")
    assert (found["theta"], found["scaling"]) == (200000.0, LLAMA3)
    with torch.no_grad():
        logits = load_model(tmp_path / "m", dtype="float32")(torch.arange(8, 72)[None]).logits[
            0, -1
        ]
    assert logits.topk(5).indices.tolist() == found["top"]
    assert float(logits.sum()) == pytest.approx(found["sum"], abs=1e-2)
    from kofinlaw.models.tokenizer import load_tokenizer

    assert load_tokenizer(tmp_path / "m").encode("제1조는 보고 기한을 정한다.") == found["tokens"]


SLOW_MERGE = """
import sys, time
from pathlib import Path
from kofinlaw.trainer.merge.merge_model import merge

def progress(phase, done, total=None, **info):
    if done == 9:
        print("halfway", flush=True)
        time.sleep(60)

merge(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), progress=progress)
"""


def test_a_killed_merge_leaves_no_target_and_the_next_one_clears_up(tmp_path, llama, adapter):
    out = tmp_path / "out"
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW_MERGE, str(adapter), str(llama), str(out)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "halfway\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == [".out.tmp"]
    began = time.monotonic()
    merge(adapter, llama, out)
    assert time.monotonic() - began < 60
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
