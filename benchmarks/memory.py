"""Compare the memory plan with the memory that a process really takes, on a CPU.

    python benchmarks/memory.py [--only NAME] [--repeats 3]

Each case runs in a separate process. The process loads the model, resets the peak of its resident
memory (`VmHWM`) through /proc/self/clear_refs, and then makes two training steps as `kofinlaw
train` makes them, or answers prompts. The rise of the peak over the loaded process is compared
with the plan's terms without those that were loaded before (weights, constants, tokenizer, the
process itself). The models are the quickstart's model and a Llama with random weights, over 1
GiB, with a vocabulary of 102,400. The script prints a table and, as the last line, JSON.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from kofinlaw.units import GIB

sys.path.insert(0, str(Path(__file__).parent / "gpu"))  # shapes.py

from outcome import outcome

from kofinlaw.models.catalogue import ModelCard, find_model
from kofinlaw.models.memory.memory_plan import MemoryPlan, plan_serving_memory, plan_training_memory

SMALL = "google/gemma-3-270m"
LARGE = "LGAI-EXAONE/EXAONE-3.5-2.4B-Instruct"
LARGE_LAYERS = 4
LOADED = ("weights", "quantisation constants", "tokenizer", "context")
UNUSED = {"score": ("key-value cache",)}  # one pass scores the labels and keeps no cache


@dataclass(frozen=True)
class Case:
    """One measurement: `rows` sequences of `length` tokens at once."""

    model: str
    work: Literal["train", "score", "write"]
    length: int
    rows: int
    checkpointing: bool = True
    quantization: Literal["none", "nf4"] = "none"


CASES = {
    "train 270M, checkpointing": Case(SMALL, "train", 512, 2),
    "train 270M, NF4, checkpointing": Case(SMALL, "train", 512, 2, quantization="nf4"),
    "train 270M, all kept": Case(SMALL, "train", 512, 1, checkpointing=False),
    "train 1 GiB Llama, checkpointing": Case(LARGE, "train", 512, 2),
    "train 1 GiB Llama, all kept": Case(LARGE, "train", 512, 1, checkpointing=False),
    "score labels, 270M": Case(SMALL, "score", 512, 4),
    "write, 1 GiB Llama": Case(LARGE, "write", 512, 4),
    # The plan was fixed with the cases above in view. These cases first ran after it was finished.
    "held out: train 270M, 3 x 700, checkpointing": Case(SMALL, "train", 700, 3),
    "held out: train 1 GiB Llama, 1 x 900, checkpointing": Case(LARGE, "train", 900, 1),
    "held out: write, 270M, 2 x 300": Case(SMALL, "write", 300, 2),
}


def card_of(case: Case) -> ModelCard:
    """Return the model card of a case; the large model is cut to a few layers."""
    card = find_model(case.model)
    if case.model == LARGE:
        card = replace(card, model_type="llama", layers=LARGE_LAYERS)
    return card


def plan_of(case: Case) -> MemoryPlan:
    """Return the memory plan of a case."""
    card = card_of(case)
    if case.work == "train":
        return plan_training_memory(
            card,
            quantization=case.quantization,
            optimizer="adamw",
            length=case.length,
            batch=case.rows,
            gradient_checkpointing=case.checkpointing,
            gpu=False,
        )
    return plan_serving_memory(card, context=case.length, batch=case.rows, gpu=False)


def load(case: Case, attention: str) -> tuple[Any, Path]:
    """Return the model of a case and the folder of its tokenizer."""
    from shapes import random_model

    from kofinlaw.models.loading import load_model
    from kofinlaw.models.quickstart import quickstart_model

    folder = quickstart_model()
    if case.model == SMALL:
        model = load_model(folder, quantization=case.quantization, attention=attention)  # type: ignore[arg-type]
        return model, folder
    return random_model(
        LARGE, device="cpu", attention=attention, num_hidden_layers=LARGE_LAYERS
    ), folder


def worker(case: Case) -> int:
    """Run a case in this process; return the rise of the peak over the loaded process in bytes."""
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.memory_use import memory_in_use, peak_memory, release_memory, reset_peak

    model, folder = load(case, "eager")  # as training and answering do on a CPU
    tokenizer = load_tokenizer(folder) if case.work == "write" else None
    settle(model)
    release_memory()
    before = memory_in_use()
    reset_peak()
    {"train": train, "score": score, "write": write}[case.work](case, model, tokenizer)
    return peak_memory() - before


def settle(model: Any) -> None:
    """Bring everything into memory that belongs to the loaded process.

    - Weights that are only mapped from their file so far.
    - The libraries that the work would import.
    - The libraries' code, which is read from its files when it runs for the first time.
    """
    import importlib

    import torch

    for weight in model.parameters():
        weight.data.view(torch.uint8).amax()
    for library in (
        "peft",
        "bitsandbytes",
        "kofinlaw.trainer.step",
        "kofinlaw.models.engines.generation",
    ):
        importlib.import_module(library)
    scratch = torch.nn.Parameter(torch.ones(2))
    scratch.grad = torch.ones(2)
    torch.optim.AdamW([scratch]).step()
    with torch.inference_mode():
        model(torch.tensor([[5]]), use_cache=False)


def train(case: Case, model: Any, tokenizer: None) -> None:
    """Make two optimizer steps of one micro-batch each."""
    from shapes import train_steps

    train_steps(
        model,
        card_of(case).vocab,
        case.length,
        case.rows,
        optimizer="adamw",
        checkpointing=case.checkpointing,
    )


def score(case: Case, model: Any, tokenizer: None) -> None:
    """Score the labels of `rows` prompts in one batch."""
    from kofinlaw.models.engines.choice_scoring import score_choices
    from kofinlaw.models.engines.decoder import Decoder

    prompts = [[n + 5, *range(10, case.length + 9)] for n in range(case.rows)]
    tails = [[[7], [8], [9]]] * case.rows
    score_choices(Decoder(model), prompts, tails, max_tokens=case.rows * case.length, max_rows=99)


def write(case: Case, model: Any, tokenizer: Any) -> None:
    """Write sixteen tokens after `rows` prompts in one batch."""
    from kofinlaw.models.engines.base import Request
    from kofinlaw.models.engines.decoder import Decoder
    from kofinlaw.models.engines.generation import ActiveSequence, generate_batch

    prompts = [[n + 5, *range(10, case.length - 7)] for n in range(case.rows)]
    writings = [ActiveSequence(Request("x", max_tokens=16), prompt) for prompt in prompts]
    generate_batch(Decoder(model), tokenizer, writings, frozenset())


def measured_peak(name: str) -> float:
    """Run a case in a new process; return the rise of its peak in GiB."""
    done = subprocess.run(
        [sys.executable, __file__, "--worker", name], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) / GIB


def main() -> None:
    """Run every case, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="run only cases whose name contains this")
    parser.add_argument("--repeats", type=int, default=3, help="processes per case (median)")
    parser.add_argument("--worker", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(worker(CASES[options.worker]))
        return
    figures: dict[str, dict[str, Any]] = {}
    print("| case | planned, GiB | measured, GiB (smallest–largest) | error |")
    print("| --- | --- | --- | --- |")
    for name, case in CASES.items():
        if options.only not in name:
            continue
        peaks = [measured_peak(name) for _ in range(options.repeats)]
        measured = statistics.median(peaks)
        terms = plan_of(case).terms
        apart = (*LOADED, *UNUSED.get(case.work, ()))
        planned = sum(gib for term, gib in terms.items() if term not in apart)
        error = planned / measured - 1
        figures[name] = {
            "planned_gib": round(planned, 3),
            "measured_gib": round(measured, 3),
            "from_gib": round(min(peaks), 3),
            "to_gib": round(max(peaks), 3),
            "error": round(error, 3),
            "terms_gib": {term: round(gib, 3) for term, gib in terms.items()},
        }
        seen = f"{measured:.3f} ({min(peaks):.3f}–{max(peaks):.3f})"
        print(f"| {name} | {planned:.3f} | {seen} | {error:+.1%} |", flush=True)
    targets = {
        f"{name}: error, absolute": (abs(row["error"]), ("<=", 0.15))
        for name, row in figures.items()
    }
    print(outcome(figures, targets, not_run=["within 10 % on a GPU (gpu/memory.py)"]))


if __name__ == "__main__":
    main()
