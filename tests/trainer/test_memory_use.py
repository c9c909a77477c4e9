"""Memory limits of a process, and steps that really run out of memory."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

# Trains under limits of the address space (`ulimit -v`) that are measured here: each line is JSON.
CHILD = """
import json, resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from kofinlaw import UserError
from kofinlaw.models.templates import template_for
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sft import train

model, examples, out = map(Path, sys.argv[1:])
WHOLE = 65536  # tokens: every step in one pass
FREE = resource.RLIM_INFINITY

def address_space(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))

def run(name, tokens, limit=FREE):
    notes = []
    settings = TrainSettings(
        quantization="none", dtype="float32", learning_rate=5e-3, effective_batch=8, max_steps=2,
        epochs=100, lora={"rank": 4, "alpha": 8}, max_tokens_per_micro_batch=tokens,
        gradient_checkpointing=False, memory_limit_gib=1024,
    )
    resource.setrlimit(resource.RLIMIT_AS, (limit, FREE))
    try:
        result = train(
            settings, model, examples, out / name, template=template_for(model), seed=1,
            progress=lambda *_, **more: notes.append(more["note"]) if "note" in more else None,
        )
        said = {"cuts": result.out_of_memory, "budget": result.budget_tokens, "notes": notes}
    except UserError as error:
        said = {"cuts": -1, "message": error.message, "remedy": error.remedy}
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (FREE, FREE))
    print(json.dumps({"name": name, **said}), flush=True)
    return said

run("whole", WHOLE)
needed = address_space("VmPeak") - address_space("VmSize")
share = 0.65  # of what the whole pass needs: too little does not load, too much cuts nothing
for number in range(8):
    limit = address_space("VmSize") + int(share * needed)
    limited = run(f"limited {number}", WHOLE, limit)
    if limited["cuts"] > 0:
        break
    share += 0.07 if limited["cuts"] < 0 else -0.12
run("same cut", limited.get("budget", WHOLE))
run("nothing fits", WHOLE, address_space("VmSize") + 2**21)
"""


def test_processes_on_one_machine_s_processor_share_what_is_free(monkeypatch):
    import torch

    from kofinlaw.trainer import memory_use as out_of_memory

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(out_of_memory, "memory_in_use", lambda: 100)
    monkeypatch.setattr(out_of_memory, "free_memory", lambda: 1000)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert out_of_memory.memory_limit(None) == 900
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")  # as torch's and accelerate's launchers set it
    assert out_of_memory.memory_limit(None) == 500
    assert out_of_memory.memory_limit(3.0) == 3 * 2**30


@pytest.mark.parametrize(
    ("free", "held", "limit_gib", "limit"),
    [
        (20, 3, None, 22.5),  # free and held, less the reserve
        (20, 3, 10, 10),  # the configured limit
        (20, 3, 40, 22.5),  # a limit above the card is the card's
        (0.1, 21, None, 21),  # what is held cannot be given back
    ],
)
def test_the_limit_of_a_card_is_what_is_free(free, held, limit_gib, limit):
    from kofinlaw.trainer.memory_use import card_limit

    found = card_limit(int(free * 2**30), int(23.5 * 2**30), int(held * 2**30), limit_gib)
    assert found / 2**30 == pytest.approx(limit, abs=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit and /proc are Linux's")
def test_a_step_that_is_really_out_of_memory_is_cut_and_learns_the_same(
    tmp_path, build_model, examples
):
    model = build_model(tmp_path / "model", layers=1, intermediate_size=16384)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, model, examples, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    whole, *tried, same, nothing = runs
    limited = tried[-1]
    assert whole["cuts"] == same["cuts"] == 0
    # The allocator failed inside a pass, and only a real limit could make it.
    assert limited["cuts"] == len(limited["notes"]) > 0
    assert all("memory" in note for note in limited["notes"])
    assert any("alloc" in note.lower() for note in limited["notes"])
    adapters = {
        name: load_file(tmp_path / name / "adapter" / "adapter_model.safetensors")
        for name in (whole["name"], limited["name"], same["name"])
    }
    cut, plain = adapters[limited["name"]], adapters[whole["name"]]
    losses = {
        name: [
            json.loads(line)["loss"]
            for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        ]
        for name in (whole["name"], limited["name"])
    }
    # The same cut gives the same bits; another cut sums in another order.
    assert all(torch.equal(value, adapters[same["name"]][name]) for name, value in cut.items())
    assert losses[limited["name"]] == pytest.approx(losses[whole["name"]], rel=1e-4)
    for name, value in cut.items():
        assert torch.allclose(value, plain[name], atol=2e-4), name
    # Where not even the model fits, one clear error ends the run.
    assert nothing["message"].startswith("memory ran out while loading the model")
    assert "ulimit -v" in nothing["remedy"]


def test_memory_that_ends_outside_of_a_pass_is_said_and_the_run_resumes(run, monkeypatch):
    from kofinlaw import UserError
    from kofinlaw.trainer.loop import Loop

    update = Loop._update

    def fail(self, *arguments):
        if self.state.step == 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 1 GiB")
        return update(self, *arguments)

    whole = run("whole", max_steps=2)
    monkeypatch.setattr(Loop, "_update", fail)
    with pytest.raises(UserError, match="outside of the passes") as caught:
        run("cut", checkpoint_steps=1, max_steps=2)
    assert "resumes from the newest checkpoint" in caught.value.remedy
    monkeypatch.undo()
    resumed = run("cut", checkpoint_steps=1, max_steps=2)
    assert (resumed.resumed_from, resumed.loss_last) == (1, whole.loss_last)
