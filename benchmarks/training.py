"""Compare training steps of kofinlaw with TRL's SFTTrainer and a plain full-logits loop, on a CPU.

    python benchmarks/training.py --model FOLDER --examples runs/NAME/augment/examples.jsonl

All ways use the same model, LoRA, data, precision and effective batch, and the same examples over
the same steps: one to warm up and `--steps` timed. Every way runs in a separate process. The ways
run in alternation, `--repeats` times, and the tables show the median.

- `tokens/s` counts real tokens, not padding, over all timed steps.
- `step` is the median step.
- `peak` is the rise of resident memory over the loaded process (`VmHWM`, reset with
  `clear_refs`).

TRL takes the examples in our order, unless it groups them by length. There are three tables:

- `lengths`: the unchanged examples, compared with TRL's default and TRL's faster options. Packing
  is left out, because it is exact only with kernels that need a GPU.
- `loss`: 512 tokens per example, a tenth of them learned, compared with TRL and the plain loss
  over all logits.
- `switches`: kofinlaw's own options (only with `--table switches`).

`--table` picks one table and `--ways` single rows. `--random` takes a small model with random
weights and a vocabulary of 102,400; tokens and lengths still come from the tokenizer of
`--model`. `--clock cpu` counts processor seconds, for a machine that other work shares. The last
line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from outcome import outcome
from training_ways import CLOCKS, LOSS_BATCH, ours, plain, trl

from kofinlaw.units import GIB

# table → name → how a way differs from its family's default
STORED: dict[str, Any] = {"gradient_checkpointing": False}
TABLES: dict[str, dict[str, dict[str, Any]]] = {
    "lengths": {
        "kofinlaw": {},
        "kofinlaw, 512 tokens a pass": {"max_tokens_per_micro_batch": 512},
        "trl default": {},
        "trl no checkpointing, 2 a pass": {**STORED, "per_device_train_batch_size": 2},
        "trl no checkpointing, 2 a pass, by length, eager": {
            **STORED,
            "per_device_train_batch_size": 2,
            "train_sampling_strategy": "group_by_length",
            "attention": "eager",
        },
    },
    "loss": {"kofinlaw": {}, "trl default": {}, "plain full logits": {}},
    "switches": {
        "kofinlaw": {},
        "kofinlaw sdpa": {"attention": "sdpa"},
        "kofinlaw with peft's LoRA pass": {"own_pass": False},
        "kofinlaw checkpointing": {"gradient_checkpointing": True},
        "kofinlaw nf4": {"quantization": "nf4"},
        "kofinlaw float32 base": {"dtype": "float32"},
        "kofinlaw 512 tokens a pass": {"max_tokens_per_micro_batch": 512},
        "kofinlaw 2048 tokens a pass": {"max_tokens_per_micro_batch": 2048},
    },
}


def worker(args: argparse.Namespace) -> dict[str, Any]:
    """Run one way in this process."""
    from kofinlaw.trainer.memory_use import memory_in_use, peak_memory, release_memory, reset_peak

    options = TABLES[args.table][args.worker]
    family = trl if args.worker.startswith("trl") else plain if "plain" in args.worker else ours
    passes = family(args, options)
    next(passes)
    release_memory()
    loaded = memory_in_use()
    reset_peak()
    steps = list(passes)[1:]  # the first warms up
    return {
        "tokens_per_second": round(sum(r for r, _, _ in steps) / sum(s for _, _, s in steps), 1),
        "padding": round(1 - sum(r for r, _, _ in steps) / sum(p for _, p, _ in steps), 3),
        "peak_gib": round((peak_memory() - loaded) / GIB, 2),
        "step_seconds": round(statistics.median(s for _, _, s in steps), 2),
    }


def measure(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Run every way of one table in a separate process.

    A way that fails is reported on stderr and left out.
    """
    names = args.ways or list(TABLES[args.table])
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(args.repeats):  # in alternation: a busy minute must not slow one way only
        for name in names:
            command = [sys.executable, __file__, *sys.argv[1:], "--table", args.table]
            command += ["--worker", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                last = (done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1]
                print(f"{name}: {last}", file=sys.stderr)
                continue
            found[name].append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(f"{name}: {found[name][-1]}", file=sys.stderr, flush=True)
    return {
        name: {key: round(statistics.median(r[key] for r in runs), 3) for key in runs[0]}
        for name, runs in found.items()
        if runs
    }


def main() -> None:
    """Compare the ways, print the tables and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="folder of a model")
    parser.add_argument("--examples", type=Path, required=True, help="examples.jsonl")
    parser.add_argument("--quantization", default="none", choices=["none", "nf4"])
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--table", choices=list(TABLES), help="default: lengths, then loss")
    parser.add_argument("--ways", nargs="*", help="only these rows of the table")
    parser.add_argument("--random", action="store_true", help="a small model with random weights")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        if args.table == "loss":
            args.batch = LOSS_BATCH  # the plain loop holds the logits of the whole batch
        print(json.dumps(worker(args)))
        return
    result = {}
    for table in [args.table] if args.table else ["lengths", "loss"]:
        args.table = table
        result[table] = measure(args)
        print(f"\n| {table} | tokens/s | padding share | peak, GiB | step, s |")
        print("| --- | --- | --- | --- | --- |")
        for name, row in result[table].items():
            print(f"| {name} | " + " | ".join(str(value) for value in row.values()) + " |")
    print(outcome(result, targets_of(result), not_run=["on a GPU (gpu/training.py)"]))


def targets_of(result: dict[str, Any]) -> dict[str, Any]:
    """Return the targets of the rows that were measured."""
    lengths, loss = result.get("lengths", {}), result.get("loss", {})

    def share(rows: dict[str, Any], key: str, other: str) -> float | None:
        if "kofinlaw" not in rows or other not in rows:
            return None
        return round(float(rows["kofinlaw"][key]) / float(rows[other][key]), 3)

    rivals = [name for name in lengths if name.startswith("trl") and name != "trl default"]
    best = max(rivals, key=lambda name: float(lengths[name]["tokens_per_second"]), default="")
    plain = "plain full logits"
    return {
        "speed, times TRL's default": (
            share(lengths, "tokens_per_second", "trl default"),
            (">=", 1.3),
        ),
        "speed, times TRL's best": (share(lengths, "tokens_per_second", best), (">=", 1.05)),
        "padding": (lengths.get("kofinlaw", {}).get("padding"), ("<=", 0.05)),
        "peak, share of TRL's": (share(loss, "peak_gib", "trl default"), ("<=", 1.0)),
        "step, share of TRL's": (share(loss, "step_seconds", "trl default"), ("<=", 1.0)),
        "peak, share of the plain loss's": (share(loss, "peak_gib", plain), ("<=", 0.4)),
        "step, share of the plain loss's": (share(loss, "step_seconds", plain), ("<=", 0.45)),
    }


if __name__ == "__main__":
    main()
