"""torchrun starts both processes again after one was killed; the adapter is that of a whole run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WORKER = """
import os, signal, sys
from pathlib import Path

import torch

from kofinlaw.models.templates import template_for
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sft import train

torch.set_num_threads(1)
model, examples, out = (Path(a) for a in sys.argv[1:4])
settings = TrainSettings.model_validate_json(sys.argv[4])
victim, first = sys.argv[5], os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"


def kill(step, number):
    if first and os.environ["RANK"] == victim and step == 4:
        os.kill(os.getpid(), signal.SIGKILL)


train(settings, model, examples, out, template=template_for(model), seed=3, on_micro_batch=kill)
"""


def launch(script, *arguments):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    command += ["--local-addr", "127.0.0.1", "--max-restarts", "1", str(script), *arguments]
    more = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo"}
    # Else the processes of the second start read the addresses of the first one in the store that
    # torchrun shares with them (gloo: connection refused).
    more["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    more["PYTHONPATH"] = str(ROOT)
    return subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True)


def files(out):
    timed = ("seconds", "tokens_per_second", "memory_gib")
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text("utf-8").splitlines()]
    adapter = {p.name: p.read_bytes() for p in sorted((out / "adapter").iterdir())}
    return adapter, [{k: v for k, v in line.items() if k not in timed} for line in lines]


@pytest.mark.slow
@pytest.mark.timeout(900)  # five starts of torch in all, 50 seconds of processor time
def test_a_killed_process_and_the_restart_of_torchrun_leave_the_same_adapter(
    pico, examples, settings, tmp_path
):
    chosen = settings(
        max_steps=6,
        effective_batch=4,
        checkpoint_steps=2,
        max_tokens_per_micro_batch=150,
        lora={"rank": 4, "alpha": 8, "dropout": 0.1},  # so that random states matter
    )
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    for name, victim in (("whole", "none"), ("killed", "1")):
        arguments = [str(pico), str(examples), str(tmp_path / name), chosen.model_dump_json()]
        done = launch(script, *arguments, victim)
        assert done.returncode == 0, done.stderr
        assert ("SIGKILL" in done.stderr or "exitcode: -9" in done.stderr) == (name == "killed")
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    record = tmp_path / "killed" / "checkpoints" / "step-000006" / "checkpoint.json"
    assert json.loads(record.read_text("utf-8"))["step"] == 6
