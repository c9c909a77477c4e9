"""Simulate the training step of the catalogue's shapes, and compare with plan and processor.

    python benchmarks/simulate.py [--only NAME] [--batches 1 2 4 8] [--skip-processor]

Each shape runs in a separate process: NF4, LoRA r 16 on all linear layers, AdamW, checkpointing,
sequences of 2,048 tokens of which every one is learned. The table shows the simulated peak, the
plan by arithmetic for the same tensors, seconds and the memory of the process. The aim of 90 s is
for processor time: that is the time on a core that nothing else uses. The last rows
compare the simulation of the 270M model with the rise of resident memory that
`benchmarks/memory.py` measures on this processor. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from outcome import outcome

from kofinlaw.models.catalogue import find_model
from kofinlaw.models.memory.memory_plan import held_by_tensors, plan_training_memory
from kofinlaw.units import GIB

SHAPES = {
    "EXAONE-3.5-7.8B": "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct",
    "SOLAR-10.7B": "upstage/SOLAR-10.7B-v1.0",
    "Qwen2.5-7B": "Qwen/Qwen2.5-7B-Instruct",
    "Qwen2.5-14B": "Qwen/Qwen2.5-14B-Instruct",
}
LENGTH = 2048
SMALL = "google/gemma-3-270m"
MEASURED = Path(__file__).parent / "memory.py"
# Cases of memory.py that train the 270M model: settings, length and rows, the same as there.
PROCESSOR: dict[str, tuple[dict[str, Any], int, int]] = {
    "train 270M, checkpointing": ({"quantization": "none"}, 512, 2),
    "train 270M, NF4, checkpointing": ({"quantization": "nf4"}, 512, 2),
    "train 270M, all kept": ({"quantization": "none", "gradient_checkpointing": False}, 512, 1),
    "held out: train 270M, 3 x 700, checkpointing": ({"quantization": "none"}, 700, 3),
}


def worker(model: str, batches: list[int]) -> dict[str, Any]:
    """Simulate one shape at every batch size in this process; return its figures."""
    from kofinlaw.trainer.settings import TrainSettings
    from kofinlaw.trainer.simulation.card_config import config_from_card
    from kofinlaw.trainer.simulation.training import open_training

    started = time.perf_counter()
    card = find_model(model)
    rows = []
    with open_training(config_from_card(card), TrainSettings(), card=True) as training:
        for batch in batches:
            peak = training.peak(LENGTH, batch)
            plan = plan_training_memory(card, optimizer="adamw", length=LENGTH, batch=batch)
            gib = peak.size / GIB
            rows.append(
                {
                    "batch": batch,
                    "simulated_gib": round(gib, 3),
                    "plan_gib": round(held_by_tensors(plan.terms), 3),
                    "ratio": round(held_by_tensors(plan.terms) / gib, 3),
                    "at": f"{peak.place}, {peak.operator}",
                }
            )
    return {
        "rows": rows,
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(time.process_time(), 1),
        "process_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def simulated_rise(name: str) -> float:
    """Return the GiB that training a case adds to the loaded 270M model, by simulation."""
    from kofinlaw.trainer.settings import TrainSettings
    from kofinlaw.trainer.simulation.card_config import config_from_card
    from kofinlaw.trainer.simulation.training import open_training

    changes, length, rows = PROCESSOR[name]
    settings = TrainSettings(**({"gradient_checkpointing": True} | changes))
    with open_training(config_from_card(find_model(SMALL)), settings, card=False) as training:
        peak = training.peak(length, rows, supervised=0.5)
    return (peak.size - peak.kinds()["weights"]) / GIB


def measured_rise(name: str) -> float:
    """Return the GiB by which `memory.py` sees the resident memory rise in a new process."""
    return int(printed([str(MEASURED), "--worker", name])) / GIB


def printed(script: list[str]) -> str:
    """Run a script in a new process and return its last line; its error ends this one."""
    done = subprocess.run([sys.executable, *script], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(script)}\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()[-1]


def processor_rows() -> dict[str, dict[str, float]]:
    """Return simulated and measured GiB of each case of the 270M model, and print them."""
    print("\n| 270M on this processor | simulated, GiB | measured, GiB | error |")
    print("| --- | ---: | ---: | ---: |")
    found = {}
    for name in PROCESSOR:
        simulated, measured = simulated_rise(name), measured_rise(name)
        error = simulated / measured - 1
        found[name] = {
            "simulated_gib": round(simulated, 3),
            "measured_gib": round(measured, 3),
            "error": round(error, 3),
        }
        print(f"| {name} | {simulated:.3f} | {measured:.3f} | {error:+.1%} |", flush=True)
    return found


def main() -> None:
    """Run every shape, print tables and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="run only shapes whose name contains this")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--skip-processor", action="store_true", help="leave the 270M model out")
    parser.add_argument("--worker", choices=SHAPES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(worker(SHAPES[options.worker], options.batches)))
        return
    shapes: dict[str, Any] = {}
    print("| shape | batch | simulated, GiB | plan, GiB | plan / simulated | peak at |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for name in SHAPES:
        if options.only not in name:
            continue
        batches = [str(batch) for batch in options.batches]
        line = printed([__file__, "--worker", name, "--batches", *batches])
        shapes[name] = found = json.loads(line)
        for row in found["rows"]:
            print(
                f"| {name} | {row['batch']} | {row['simulated_gib']:.2f} | {row['plan_gib']:.2f} "
                f"| {row['ratio']:.3f} | {row['at']} |",
                flush=True,
            )
        print(
            f"| {name} | all: {found['seconds']} s, {found['processor_seconds']} s of processor "
            f"time, {found['process_gib']} GiB | | | | |",
            flush=True,
        )
    processor = {} if options.skip_processor else processor_rows()
    ratios = [row["ratio"] for found in shapes.values() for row in found["rows"]]
    targets: dict[str, Any] = {
        "least plan / simulated": (min(ratios, default=None), (">=", 1.0)),
        "most plan / simulated": (max(ratios, default=None), ("<=", 1.12)),
    }
    for name, found in shapes.items():
        targets[f"{name}: seconds of processor time"] = (found["processor_seconds"], ("<=", 90))
        targets[f"{name}: GiB of the process"] = (found["process_gib"], ("<=", 1))
    for name in PROCESSOR:
        row = processor.get(name)
        targets[f"{name}: error, absolute"] = (row and abs(row["error"]), ("<=", 0.1))
    missing = ["simulated against the allocator's peak on a card (gpu/first_hour.sh)"]
    print(outcome({"shapes": shapes, "processor": processor}, targets, not_run=missing))


if __name__ == "__main__":
    main()
