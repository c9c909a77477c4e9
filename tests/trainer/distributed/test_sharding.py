"""A model sharded over two processes (FSDP, gloo) learns what one process learns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kofinlaw import UserError

ROOT = Path(__file__).parents[3]
WORKER = """
import os, sys
from pathlib import Path
from kofinlaw.models.templates import template_for
from kofinlaw.trainer import trainee
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sft import train
from kofinlaw.trainer.sharding import local_tensor

plain = trainee.shard_model


def tell_the_share(model, ranks):
    layers = [p for name, p in model.named_parameters() if ".layers." in name]
    before = sum(p.numel() for p in layers)
    plain(model, ranks)
    layers = [p for name, p in model.named_parameters() if ".layers." in name]
    print("holds", sum(local_tensor(p).numel() for p in layers) / before, "of the layers")


trainee.shard_model = tell_the_share
model, examples, out = (Path(a) for a in sys.argv[1:4])
settings = TrainSettings.model_validate_json(sys.argv[4])


def run_out(step, number):
    if len(sys.argv) > 5 and step == 3 and os.environ["RANK"] == "1":
        raise MemoryError("injected")


train(settings, model, examples, out, template=template_for(model), seed=3, on_micro_batch=run_out)
"""


def launch(script, *arguments, port):
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    command += [str(ROOT / "recipes" / "accelerate" / "fsdp.yaml")]
    command += ["--main_process_port", str(port), str(script), *arguments]
    more = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True)


def free_port():
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_two_processes_that_share_a_model_go_on_after_out_of_memory_and_learn_what_one_learns(
    pico, examples, settings, tmp_path
):
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer import checkpoint
    from kofinlaw.trainer.sft import train
    from kofinlaw.trainer.state import RunState

    chosen = settings(
        max_steps=5,
        effective_batch=3,
        checkpoint_steps=2,
        evaluation_share=0.1,
        evaluation_steps=5,
        max_tokens_per_micro_batch=200,
    )
    alone = train(chosen, pico, examples, tmp_path / "one", template=template_for(pico), seed=3)
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    arguments = [str(pico), str(examples), str(tmp_path / "two"), chosen.model_dump_json()]
    failed = launch(script, *arguments, "run out", port=free_port())
    assert failed.returncode != 0
    assert "exitcode  : 76" in failed.stderr
    assert "resumes from the last checkpoint with 100" in failed.stderr
    again = launch(script, *arguments, port=free_port())
    assert again.returncode == 0, again.stderr
    lines = [json.loads(line) for line in (tmp_path / "two" / "metrics.jsonl").open()]
    assert [line["budget"] for line in lines] == [200, 200, 100, 100, 100]
    last = checkpoint.read(tmp_path / "two" / "checkpoints" / "step-000005")
    figures = RunState(**last.record["state"]).figures()
    assert figures["out_of_memory"] == 1  # the run that ended by it could not count it itself
    assert lines[-1]["evaluation_loss"] == pytest.approx(alone.evaluation_loss, rel=1e-5)
    assert_same_weights(tmp_path / "one", tmp_path / "two")


def assert_same_weights(one, two):
    from safetensors.torch import load_file

    a, b = (load_file(out / "adapter" / "adapter_model.safetensors") for out in (one, two))
    moved = max(float(t.abs().max()) for name, t in a.items() if "lora_B" in name)
    assert max(float((a[n] - b[n]).abs().max()) for n in a) <= 1e-4 * moved


def test_two_processes_that_share_a_four_bit_model_learn_what_one_learns(
    pico, examples, settings, tmp_path
):
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    chosen = settings(
        quantization="nf4",
        max_steps=5,
        effective_batch=3,
        evaluation_share=0.1,
        evaluation_steps=2,
        gradient_checkpointing=True,
    )
    train(chosen, pico, examples, tmp_path / "one", template=template_for(pico), seed=3)
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    arguments = [str(pico), str(examples), str(tmp_path / "two"), chosen.model_dump_json()]
    done = launch(script, *arguments, port=free_port())
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("holds 0.5 of the layers") == 2
    assert_same_weights(tmp_path / "one", tmp_path / "two")
    one, two = (
        json.loads((tmp_path / name / "adapter" / "kofinlaw.json").read_text(encoding="utf-8"))
        for name in ("one", "two")
    )
    assert one["quantization"] == two["quantization"]


def test_eight_bit_weights_are_not_shared_out(pico, settings):
    import torch

    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.trainee import load_trainee

    ranks = Ranks(0, 2, torch.device("cpu"), sharded=True)
    with pytest.raises(UserError, match="int8 weights cannot be sharded") as caught:
        load_trainee(settings(quantization="int8"), pico, [], ranks, seed=0)
    assert "ddp.yaml" in caught.value.remedy
