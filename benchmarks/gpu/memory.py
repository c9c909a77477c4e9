"""Measure the error of the memory plan on a GPU, with random weights of real shape. Needs CUDA.

    python benchmarks/gpu/memory.py [--limit-gib 24]

Each case runs in a separate process: training steps as `kofinlaw train` makes them (NF4, LoRA r
16 on all linear layers, AdamW, checkpointing, 2,048 tokens), or answering (16 bit and
NF4). The measured value is the peak of torch's allocator. It is compared with the plan's total
without the CUDA context, which the allocator does not see. The plan may be wrong by 10 %. Without
CUDA the script prints `not_run`. The last line is JSON.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kofinlaw.models.catalogue import find_model
from kofinlaw.models.memory.memory_plan import MemoryPlan, plan_serving_memory, plan_training_memory
from kofinlaw.units import GIB

EXAONE = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"
SOLAR = "upstage/SOLAR-10.7B-v1.0"
QWEN = "Qwen/Qwen2.5-14B-Instruct"


@dataclass(frozen=True)
class Case:
    """One measurement: `rows` sequences of `length` tokens at once."""

    model: str
    work: Literal["train", "answer"]
    length: int
    rows: int
    quantization: Literal["none", "nf4"] = "nf4"


CASES = {
    "train EXAONE-7.8B": Case(EXAONE, "train", 2048, 2),
    "train SOLAR-10.7B": Case(SOLAR, "train", 2048, 2),
    "train Qwen2.5-14B": Case(QWEN, "train", 2048, 1),
    "answer EXAONE-7.8B, 16 bit": Case(EXAONE, "answer", 2048, 8, "none"),
    "answer SOLAR-10.7B, NF4": Case(SOLAR, "answer", 2048, 8),
}


def plan_of(case: Case) -> MemoryPlan:
    """Return the memory plan of a case."""
    if case.work == "answer":
        bits = 16 if case.quantization == "none" else 4
        return plan_serving_memory(
            find_model(case.model), bits=bits, context=case.length, batch=case.rows
        )
    return plan_training_memory(
        find_model(case.model), optimizer="adamw", length=case.length, batch=case.rows
    )


def worker(case: Case, limit_gib: float) -> float:
    """Run a case in this process; return the allocator's peak in GiB, weights included."""
    import torch
    from shapes import cap_memory, random_model, train_steps

    cap_memory(limit_gib)
    model = random_model(case.model, quantization=case.quantization)
    torch.cuda.reset_peak_memory_stats()
    vocabulary = find_model(case.model).vocab
    if case.work == "train":
        train_steps(model, vocabulary, case.length, case.rows, optimizer="adamw")
    else:
        answer(model, vocabulary, case)
    return float(torch.cuda.max_memory_reserved()) / GIB


def answer(model: Any, vocabulary: int, case: Case) -> None:
    """Score labels and write sixteen tokens after each prompt."""
    import random

    from kofinlaw.models.engines.choice_scoring import score_choices
    from kofinlaw.models.engines.decoder import Decoder

    draw = random.Random(0)
    prompts = [
        [draw.randrange(10, vocabulary) for _ in range(case.length)] for _ in range(case.rows)
    ]
    decoder = Decoder(model)
    tails = [[[7], [8], [9]]] * case.rows
    score_choices(decoder, prompts, tails, max_tokens=case.rows * case.length, max_rows=case.rows)
    import torch

    with torch.inference_mode():
        hidden, cache, mask, positions = decoder.read(prompts)
        for _ in range(16):
            ids = decoder.logprobs(hidden).argmax(-1)[:, None]
            mask = torch.cat([mask, mask.new_ones(case.rows, 1)], dim=1)
            positions = positions[:, -1:] + 1
            hidden = decoder.step(ids, mask, positions, cache)


def main() -> None:
    """Run every case, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit-gib", type=float, default=24.0)
    parser.add_argument("--worker", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    from outcome import outcome
    from shapes import not_run, plan_targets, without_context

    if not_run():
        return
    if args.worker:
        print(worker(CASES[args.worker], args.limit_gib))
        return
    result: dict[str, dict[str, Any]] = {}
    print("| case | planned, GiB | measured, GiB | error |\n| --- | --- | --- | --- |")
    for name, case in CASES.items():
        planned = without_context(plan_of(case))
        command = [sys.executable, __file__, *sys.argv[1:], "--worker", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            why = (done.stderr.strip() or str(done.returncode)).splitlines()[-1][:160]
            result[name] = {"planned_gib": round(planned, 2), "not_run": why}
            print(f"| {name} ({why}) | {planned:.2f} | – | – |", flush=True)
            continue
        measured = float(done.stdout.split()[-1])
        error = planned / measured - 1
        result[name] = {
            "planned_gib": round(planned, 2),
            "measured_gib": round(measured, 2),
            "error": round(error, 3),
        }
        print(f"| {name} | {planned:.2f} | {measured:.2f} | {error:+.1%} |", flush=True)
    errors = {name: row.get("error") for name, row in result.items()}
    print(outcome(result, plan_targets(errors)))


if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path[:0] = [str(here), str(here.parent)]  # shapes.py and outcome.py
    main()
