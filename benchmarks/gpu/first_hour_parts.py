"""Measure one part of the first hour on a card, with models of real shape and random weights.

`first_hour.py` runs the parts:

- assertions: the memory limit of training, fused AdamW, the card's free memory, the share of vLLM,
  the allocator's setting, float32 sums of 16-bit products.
- memory: the measured peak of a training step against the plan and the simulation.
- oom: a step that runs out of memory gives the same gradients as one that does not.
- training: tokens a second, kofinlaw against TRL and Unsloth in turns.
- answering: seconds a question with the shapes of EXAONE-3.5-7.8B and SOLAR-10.7B.
- vllm: vLLM starts next to an embedder's memory.

A part returns its figures by name. With `args.rehearse` it uses tiny shapes on a processor.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["PARTS", "Skipped"]

HERE = Path(__file__).parent
EXAONE = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"
SOLAR = "upstage/SOLAR-10.7B-v1.0"
PICO: dict[str, Any] = {
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 20_000,
}
EMBEDDER_GIB = 2.1  # KURE-v1 in float32 with one batch


class Skipped(Exception):  # noqa: N818 - not a fault
    """A part cannot run here; the text says what is missing."""


def assertions(args: argparse.Namespace) -> dict[str, Any]:
    """Check facts that later parts and the product depend on; return the names that fail."""
    import torch

    from kofinlaw.models.memory.card_memory import card_memory, memory_share
    from kofinlaw.trainer.memory_use import memory_limit

    device = "cpu" if args.rehearse else "cuda"
    kind = torch.float32 if args.rehearse else torch.bfloat16
    limit = memory_limit(0.5 if args.rehearse else None)
    checks = {"a limit is above zero": limit > 0}
    layer = torch.nn.Parameter(torch.ones(8, 8, device=device))
    torch.optim.AdamW([layer], lr=1e-3, fused=None if args.rehearse else True)
    checks["AdamW is made (fused on a card)"] = True
    a = torch.randn(64, 32, device=device).to(kind)
    b = torch.randn(32, 64, device=device).to(kind)
    exact = a.float() @ b.float()
    if args.rehearse:
        product = a @ b
    else:
        product = torch.mm(a, b, out_dtype=torch.float32)
        found = card_memory()
        checks["the card's memory is known"] = found is not None and found.free <= found.total
        checks["vLLM's share is above zero"] = found is not None and memory_share(found) > 0
        segments = "expandable_segments:True" in os.environ.get("PYTORCH_CUDA_ALLOC_CONF", "")
        checks["expandable segments are set"] = segments
    checks["16-bit products are summed in float32"] = bool(
        torch.allclose(product.float(), exact, rtol=1e-2, atol=1e-2)
    )
    failed = [name for name, good in checks.items() if not good]
    return {"checks": len(checks), "failed": len(failed), "which": failed}


def memory(args: argparse.Namespace) -> dict[str, Any]:
    """Measure a training step's peak on EXAONE's shape; compare it with plan and simulation."""
    import torch
    from shapes import train_steps, without_context

    from kofinlaw.models.catalogue import find_model
    from kofinlaw.models.memory.memory_plan import plan_training_memory
    from kofinlaw.units import GIB

    length, rows = (64, 2) if args.rehearse else (2048, 2)
    simulated = simulated_peak(args, length, rows)
    model, vocabulary = made(args, EXAONE)
    train_steps(model, vocabulary, length, rows, optimizer="adamw")
    if args.rehearse:
        note = "a processor's peak is not the allocator's"
        errors = {"plan_error": None, "simulation_error": None}
        return {**errors, "simulated_gib": round(simulated / GIB, 4), "note": note}
    plan = plan_training_memory(find_model(EXAONE), optimizer="adamw", length=length, batch=rows)
    reserved = torch.cuda.max_memory_reserved() / GIB
    allocated = torch.cuda.max_memory_allocated() / GIB
    planned = without_context(plan)
    return {
        "planned_gib": round(planned, 2),
        "peak_gib": round(reserved, 2),
        "plan_error": round(abs(planned / reserved - 1), 3),
        "simulated_gib": round(simulated / GIB, 2),
        "allocated_gib": round(allocated, 2),
        "simulation_error": round(abs(simulated / GIB / allocated - 1), 3),
    }


def simulated_peak(args: argparse.Namespace, length: int, rows: int) -> int:
    """Return the bytes alive at the peak of the step of `memory`, by simulation."""
    from shapes import config_of

    from kofinlaw.models.catalogue import find_model
    from kofinlaw.trainer.settings import TrainSettings
    from kofinlaw.trainer.simulation.training import open_training

    config = config_of(find_model(EXAONE), **(PICO if args.rehearse else {}))
    with open_training(config, TrainSettings(), card=True) as training:
        return training.peak(length, rows, supervised=0.5).size


def oom(args: argparse.Namespace) -> dict[str, Any]:
    """Make one step twice: whole, and with a first pass that runs out of memory."""
    import torch

    from kofinlaw.trainer.adapter import trainable
    from kofinlaw.trainer.step import Stepper

    length, rows = (64, 4) if args.rehearse else (2048, 4)
    passes, model = stepping(args, length, rows)
    whole = Stepper(passes, seed=0, budget=length, log_event=lambda _: None)
    whole.gradients(0, range(rows))
    expected = [p.grad.detach().clone() for _, p in trainable(model) if p.grad is not None]
    for _, parameter in trainable(model):
        parameter.grad = None
    events: list[str] = []
    cut = Stepper(passes, seed=0, budget=rows * length, log_event=events.append)
    with shortage(args, length * rows):
        cut.gradients(0, range(rows))
    found = [p.grad for _, p in trainable(model) if p.grad is not None]
    worst = max(
        float((a - b).norm() / b.norm().clamp_min(1e-12))
        for a, b in zip(found, expected, strict=True)
    )
    if not args.rehearse:
        torch.cuda.synchronize()
    return {"splits": len(events), "gradient_difference": worst, "events": events[:3]}


class shortage:  # noqa: N801 - used as a context
    """Leave too little memory for a pass over all rows: the allocator itself raises.

    In a rehearsal the first large pass raises the same error instead.
    """

    def __init__(self, args: argparse.Namespace, tokens: int) -> None:
        self.args, self.tokens = args, tokens
        self.undo: Callable[[], None] = lambda: None

    def __enter__(self) -> None:
        import torch

        if self.args.rehearse:
            from kofinlaw.trainer import passes

            real = passes.Passes.loss
            state = {"raised": False}

            def interrupted(this: Any, part: Sequence[int]) -> Any:
                if not state["raised"]:
                    state["raised"] = True
                    raise torch.OutOfMemoryError("CUDA out of memory (rehearsed)")
                return real(this, part)

            passes.Passes.loss = interrupted  # type: ignore[method-assign]
            self.undo = lambda: setattr(passes.Passes, "loss", real)
            return
        torch.cuda.empty_cache()
        held, total = torch.cuda.memory_allocated(), torch.cuda.mem_get_info()[1]
        # Half of what a whole pass takes (layer inputs and one layer of EXAONE: 0.7 MiB a token).
        torch.cuda.set_per_process_memory_fraction((held + self.tokens * 350_000) / total)
        self.undo = lambda: torch.cuda.set_per_process_memory_fraction(1.0)

    def __exit__(self, *_: object) -> None:
        self.undo()


def training(args: argparse.Namespace) -> dict[str, Any]:
    """Return tokens a second of kofinlaw, TRL and Unsloth, one after the other."""
    if args.rehearse:
        length, rows = 64, 4
        from kofinlaw.trainer.step import Stepper

        passes, _ = stepping(args, length, rows)
        started = time.perf_counter()
        Stepper(passes, seed=0, budget=length * 2, log_event=lambda _: None).gradients(
            0, range(rows)
        )
        rate = length * rows / (time.perf_counter() - started)
        return {"kofinlaw": round(rate, 1), "times_trl": None, "times_unsloth": None}
    rates: dict[str, float | None] = {}
    errors: dict[str, str] = {}
    for way in ("kofinlaw", "trl", "unsloth"):
        if way == "unsloth" and importlib.util.find_spec("unsloth") is None:
            rates[way] = None
            continue
        command = [sys.executable, str(HERE / "training.py"), "--limit-gib", str(args.cap_gib)]
        command += ["--model", EXAONE, "--worker", way, "--steps", "2"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        line = done.stdout.strip().splitlines()[-1:] if not done.returncode else []
        rates[way] = json.loads(line[0])["tokens_per_second"] if line else None
        if not line:
            errors[way] = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    ours = rates["kofinlaw"]

    def times(other: str) -> float | None:
        rate = rates[other]
        return round(ours / rate, 2) if ours and rate else None

    figures = {**rates, "times_trl": times("trl"), "times_unsloth": times("unsloth")}
    return {**figures, "errors": errors} if errors else figures


def answering(args: argparse.Namespace) -> dict[str, Any]:
    """Return seconds a question for two shapes, and the minutes that 515 questions take."""
    figures: dict[str, Any] = {}
    for name, model in (("exaone", EXAONE), ("solar", SOLAR)):
        count = 4 if args.rehearse else 32
        seconds = one_by_one(args, model, count)
        figures[f"{name}_seconds_a_question"] = round(seconds, 3)
        minutes = None if args.rehearse else round(515 * seconds / 60, 1)
        figures[f"{name}_minutes_of_515"] = minutes
    return figures


def one_by_one(args: argparse.Namespace, name: str, count: int) -> float:
    """Return the seconds of a label answer after prompts of 1,200 characters."""
    from shapes import sample_prompts, sample_texts, save_tokenizer

    from kofinlaw.models.catalogue import find_model
    from kofinlaw.models.engines.base import Request
    from kofinlaw.models.engines.transformers_engine import TransformersEngine
    from kofinlaw.models.settings import EngineSettings

    model, _ = made(args, name)
    with tempfile.TemporaryDirectory() as folder:
        texts = sample_texts()[:1] if args.rehearse else sample_texts()
        save_tokenizer(Path(folder), texts, find_model(name).tokens_per_korean_char)
        engine = TransformersEngine(
            EngineSettings(max_batch_tokens=2048 if args.rehearse else 16_384),
            Path(folder),
            model=model,
        )
        prompts = sample_prompts(count, 120 if args.rehearse else 1200)
        started = time.perf_counter()
        engine.generate([Request(p, choices=tuple("1234"), max_tokens=4) for p in prompts])
        seconds = time.perf_counter() - started
        engine.close()
    return seconds / count


def vllm(args: argparse.Namespace) -> dict[str, Any]:
    """Start vLLM with dummy weights while an embedder's memory is taken on the card."""
    if importlib.util.find_spec("vllm") is None:
        raise Skipped("vllm is not installed")
    if args.rehearse:
        raise Skipped("vllm needs a card")
    import torch
    import vllm as library
    from shapes import save_config

    from kofinlaw.models.engines.vllm_engine import engine_arguments
    from kofinlaw.models.engines.vllm_memory import sequences_at_once, share_of_card
    from kofinlaw.models.memory.card_memory import card_memory
    from kofinlaw.models.settings import EngineSettings
    from kofinlaw.units import GIB

    taken = torch.empty(int(EMBEDDER_GIB * GIB), dtype=torch.uint8, device="cuda")
    settings = EngineSettings(engine="vllm", context_tokens=4096)
    with tempfile.TemporaryDirectory() as name:
        folder = save_config(EXAONE, Path(name))
        card = card_memory()
        share = share_of_card(settings, card)
        sequences = sequences_at_once(settings, folder, share, card)
        arguments = engine_arguments(settings, folder, None, 0, share, sequences)
        arguments |= {"load_format": "dummy", "skip_tokenizer_init": True}
        started = time.perf_counter()
        llm = library.LLM(**arguments)
        seconds = time.perf_counter() - started
        llm.llm_engine.engine_core.shutdown()
    del taken
    return {"started": 1, "share": share, "sequences": sequences, "seconds": round(seconds, 1)}


def made(args: argparse.Namespace, name: str) -> tuple[Any, int]:
    """Return a random model of a shape (NF4 on a card) under the cap, and its vocabulary."""
    from shapes import cap_memory, random_model

    from kofinlaw.models.catalogue import find_model

    if args.rehearse:
        return random_model(name, device="cpu", dtype="float32", **PICO), PICO["vocab_size"]
    cap_memory(args.cap_gib)
    return random_model(name, quantization="nf4"), find_model(name).vocab


def stepping(args: argparse.Namespace, length: int, rows: int) -> tuple[Any, Any]:
    """Return passes over random examples of one length, and the model with its adapter."""
    import numpy as np

    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.encoding import Encoded
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import open_ranks
    from kofinlaw.trainer.settings import TrainSettings

    base, vocabulary = made(args, EXAONE)
    settings = TrainSettings(effective_batch=rows)
    model = attach_adapter(base, settings.lora, seed=0)
    patch_lora_forward(model)
    base.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    tokens = np.random.default_rng(0).integers(10, vocabulary, (rows, length))
    learned = np.arange(length) >= length // 2
    examples = [Encoded(str(n), row, learned) for n, row in enumerate(tokens)]
    return Passes(model, examples, open_ranks(), settings), model


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "assertions": assertions,
    "memory": memory,
    "oom": oom,
    "training": training,
    "answering": answering,
    "vllm": vllm,
}
