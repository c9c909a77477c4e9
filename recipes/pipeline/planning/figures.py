"""Compute the figures of a plan without weights: training, answering and disk."""

from __future__ import annotations

import shutil

from kofinlaw.models.catalogue import ModelCard, find_model
from kofinlaw.models.machines import Machine
from kofinlaw.models.memory.memory_plan import plan_training_memory
from kofinlaw.recipes.pipeline.compliance import model_name
from kofinlaw.recipes.pipeline.plan_record import (
    AnsweringFigures,
    DiskFigures,
    Lengths,
    MemoryFigures,
    TrainingFigures,
)
from kofinlaw.recipes.pipeline.planning.measured import training_rate
from kofinlaw.recipes.pipeline.planning.serving import answering_bits, serving_memory
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.units import GIB

__all__ = [
    "answering_figures",
    "disk_figures",
    "memory_figures",
    "student_card",
    "training_figures",
]


SHORT_TOKENS = 256  # shorter examples hold no evidence


def student_card(run: Run) -> ModelCard:
    """Return the card of the recipe's model. Raises UserError if the catalogue does not know it."""
    return find_model(model_name(run.recipe.model))


def memory_figures(run: Run, machine: Machine, problems: list[str]) -> MemoryFigures:
    """Return the memory of the training; too much of it is added to `problems`."""
    train = run.recipe.train
    limit, origin = machine.gib, machine.origin
    if train.memory_limit_gib:
        limit, origin = train.memory_limit_gib, "the recipe's memory_limit_gib"
    plan = plan_training_memory(
        student_card(run),
        quantization=train.quantization,
        rank=train.lora.rank,
        optimizer=train.optimizer,
        length=train.max_length,
        gradient_checkpointing=train.gradient_checkpointing,
        head_chunk_rows=train.head_chunk_rows,
        targets=None if train.lora.targets == "all-linear" else train.lora.targets,
        limit_gib=limit,
        gpu=machine.gpu,
        kept_layers=0 if train.kept_layers == "auto" else train.kept_layers,
        dtype=train.dtype,
        attention=train.attention,
        last_layers=train.lora.last_layers,
        peft_pass=train.lora.dropout > 0 or train.lora.decomposed,
    )
    if plan.total > limit and not run.recipe.ask_only:
        shorter = (
            f"set train.max_length to at most {plan.longest}"
            if plan.longest >= SHORT_TOKENS
            else "train a smaller model, or use a larger card"
        )
        problems.append(
            f"training needs {plan.total:.1f} GiB at {train.max_length} tokens, but the limit is "
            f"{limit:.1f} GiB ({origin}); the longest sequence that fits has {plan.longest} tokens "
            f"→ {shorter}"
        )
    return {
        "terms_gib": {name: round(gib, 3) for name, gib in plan.terms.items()},
        "total_gib": round(plan.total, 2),
        "limit_gib": round(limit, 2),
        "limit_is": origin,
        "micro_batch": plan.micro_batch,
        "longest_sequence": plan.longest,
    }


def training_figures(
    run: Run, machine: Machine, lengths: Lengths, estimated: list[str]
) -> TrainingFigures:
    """Return steps, tokens and hours of the training; what they assume is added to `estimated`."""
    train = run.recipe.train
    examples = int(lengths["examples"] * train.epochs)
    steps = -(-examples // train.effective_batch)
    if train.max_steps:
        steps = min(steps, train.max_steps)
    mean = max(1, lengths["mean_tokens"])
    tokens = min(steps * train.effective_batch, examples or 1) * mean
    if train.max_tokens and tokens > train.max_tokens:
        tokens = train.max_tokens
        steps = max(1, tokens // (train.effective_batch * mean))
    measured = training_rate(run, machine)
    if measured is not None:
        seconds = tokens / measured.rate
        basis = f"measured: {measured.rate:g} tokens/s in the run {measured.run} on this machine"
    else:
        # FLOP per token with P frozen parameters in the layers: 2·P forward, 2·P for the gradients
        # of activations, and 2·P for the second forward pass of gradient checkpointing. Embeddings
        # are looked up, and few tokens reach the head.
        seconds = 6 * float(student_card(run).layer_parameters) * tokens / machine.training_flops
        basis = f"arithmetic: 6 × parameters of the layers × tokens, {machine.rates}"
    estimated.append(f"training hours · {basis}")
    return {
        "steps": steps,
        "effective_batch": train.effective_batch,
        "tokens": tokens,
        "hours": round(seconds / 3600, 2),
        "basis": "arithmetic" if measured is None else "measured",
    }


def answering_figures(run: Run, machine: Machine, problems: list[str]) -> AnsweringFigures:
    """Return the memory of answering; too much of it is added to `problems`."""
    engine = run.recipe.answer.engine
    terms = serving_memory(run.recipe, student_card(run), machine)
    total = sum(terms.values())
    if total > machine.gib:
        remedy = "use a smaller model or a larger card"
        if terms.get("weights", 0.0) < machine.gib / 2:
            remedy = f"lower answer.engine.max_batch_tokens, or {remedy}"
        elif engine.quantization == "none" and engine.engine in ("transformers", "vllm"):
            smaller = "fp8" if engine.engine == "vllm" else "int8"
            remedy = f"set answer.engine.quantization: {smaller} or nf4, or {remedy}"
        problems.append(
            f"answering needs {total:.1f} GiB, but there are {machine.gib:.1f} GiB "
            f"({machine.origin}) → {remedy}"
        )
    return {
        "budget_minutes": run.recipe.answer.budget_minutes,
        "total_gib": round(total, 2),
        "terms_gib": {name: round(gib, 3) for name, gib in terms.items()},
        "bits": answering_bits(engine, student_card(run)),
        "context_tokens": engine.context_tokens,
    }


def disk_figures(run: Run, problems: list[str]) -> DiskFigures:
    """Return the space for one GiB, and for two merged checkpoints if the recipe trains.

    There are two because one replaces the other. Too little space is added to `problems`.
    """
    width = 4 if run.recipe.merge.dtype == "float32" else 2
    parameters = float(student_card(run).parameters)
    needed = 1.0 if run.recipe.ask_only else 1 + 2 * width * parameters / GIB
    existing = run.folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free / GIB
    if free < needed:
        problems.append(f"{run.folder}: {free:.1f} GiB free, about {needed:.1f} GiB needed")
    return {"needed_gib": round(needed, 1), "free_gib": round(free, 1)}
