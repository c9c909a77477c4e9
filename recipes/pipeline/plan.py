"""Check a recipe without loading weights: files, policy, memory, steps, hours and disk space."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.files import read_jsonl
from kofinlaw.models.policy.document_checks import check_documents
from kofinlaw.models.policy.rules import verdict_sentence
from kofinlaw.recipes.pipeline.compliance import model_name, verdicts_for
from kofinlaw.recipes.pipeline.exam_stages import refuse_trained_exams
from kofinlaw.recipes.pipeline.plan_examples import ExamplesPlan, plan_examples
from kofinlaw.recipes.pipeline.plan_record import (
    AnsweringFigures,
    DiskFigures,
    FileRow,
    Lengths,
    MemoryFigures,
    Plan,
    TeacherPlan,
    TrainingFigures,
    VerdictRow,
)
from kofinlaw.recipes.pipeline.run import Run, protected_paths, source_paths
from kofinlaw.records import Article
from kofinlaw.units import GIB

if TYPE_CHECKING:
    from kofinlaw.models.catalogue import ModelCard

__all__ = [
    "CPU_FLOPS",
    "GPU_FLOPS",
    "SHOWN_DOCUMENTS",
    "TOKENS_PER_CHARACTER",
    "make_plan",
    "plan_lines",
    "tokens_per_character",
]

# Sustained bf16 arithmetic during training, in FLOP/s: half of an RTX 4090's published dense peak
# of 165 TFLOP/s, and the measured rate of two busy AVX-512 cores with a 270M model.
GPU_FLOPS = 80e12
CPU_FLOPS = 0.08e12
TOKENS_PER_CHARACTER = 0.6  # of Korean text, for a model whose rate is not known
SHOWN_DOCUMENTS = 10  # refused documents that are listed


def make_plan(run: Run) -> Plan:
    """Check everything that can be checked without loading weights; nothing is written.

    Raises UserError if the catalogue does not know the model.
    """
    problems: list[str] = []
    estimated: list[str] = []
    files = _files(run, problems)
    verdicts = _policy(run, problems)
    examples = _examples(run, problems, estimated)
    return {
        "recipe": run.recipe.name,
        "policy": run.recipe.policy,
        "trains": not run.recipe.ask_only,
        "tested": run.recipe.tested,
        "files": files,
        "verdicts": verdicts,
        "lengths": examples.lengths,
        "first_example": examples.first,
        "memory": _memory(run, problems),
        "training": _training(run, examples.lengths, estimated),
        "teacher": _teacher(run, problems, estimated),
        "answering": _answering(run),
        "disk": _disk(run, problems),
        "problems": problems,
        "estimated": [] if run.recipe.ask_only else estimated,
        "ok": not problems,
    }


def _card(run: Run) -> ModelCard:
    from kofinlaw.models.catalogue import find_model

    return find_model(model_name(run.recipe.model))


def _files(run: Run, problems: list[str]) -> list[FileRow]:
    rows: list[FileRow] = []
    named = [*source_paths(run), *protected_paths(run)]
    if run.recipe.examples:
        named.append(run.path(run.recipe.examples))
    if run.recipe.evaluate.key:
        named.append(run.path(run.recipe.evaluate.key))
    named += [run.path(s.path) for exam in run.recipe.evaluate.exam for s in exam.sources]
    for path in named:
        rows.append({"path": str(path), "exists": path.exists()})
        if not path.exists():
            problems.append(f"{path}: no such file or folder, but the recipe names it")
    try:
        refuse_trained_exams(run)
    except UserError as error:
        problems.append(str(error))
    return rows


def _policy(run: Run, problems: list[str]) -> list[VerdictRow]:
    rows: list[VerdictRow] = []
    for verdict in verdicts_for(run.recipe, run.recipe.policy):
        sentence = verdict_sentence(verdict)
        rows.append({"ok": verdict.ok, "verdict": sentence})
        if not verdict.ok:
            problems.append(f"policy {run.recipe.policy}: {sentence}")
    problems += _document_dates(run)
    return rows


def _document_dates(run: Run) -> list[str]:
    """Return the problems with the dates and licences of the documents, read from the sources."""
    from kofinlaw.data.corpus import list_documents

    sources = [path for path in source_paths(run) if path.exists()]
    if not sources or run.recipe.data is None:
        return []
    try:
        documents = list_documents(run.recipe.data, base=run.recipe_file.path.parent)
    except UserError as error:
        return [str(error)]
    verdicts = check_documents(run.recipe.policy, documents)
    refused = [f"policy {run.recipe.policy}: {verdict_sentence(v)}" for v in verdicts if not v.ok]
    more = (
        [f"… and {len(refused) - SHOWN_DOCUMENTS} more documents"]
        if len(refused) > SHOWN_DOCUMENTS
        else []
    )
    return refused[:SHOWN_DOCUMENTS] + more


def _examples(run: Run, problems: list[str], estimated: list[str]) -> ExamplesPlan:
    try:
        return plan_examples(run, _card(run).tokens_per_korean_char, estimated)
    except UserError as error:
        problems.append(str(error))
        length = run.recipe.train.max_length
        return ExamplesPlan({"examples": 0, "mean_tokens": length, "longest_tokens": None}, None)


def _limit_gib(run: Run) -> tuple[float, str]:
    """Return the memory limit in GiB, and where it comes from."""
    from kofinlaw.models.doctor import usable_memory_gib

    if run.recipe.train.memory_limit_gib:
        return run.recipe.train.memory_limit_gib, "the recipe's memory_limit_gib"
    return usable_memory_gib()


def _memory(run: Run, problems: list[str]) -> MemoryFigures:
    from kofinlaw.models.doctor import gpu_memory_gib
    from kofinlaw.models.memory.memory_plan import plan_training_memory

    limit, origin = _limit_gib(run)
    train = run.recipe.train
    plan = plan_training_memory(
        _card(run),
        quantization=train.quantization,
        rank=train.lora.rank,
        optimizer=train.optimizer,
        length=train.max_length,
        gradient_checkpointing=train.gradient_checkpointing,
        head_chunk_rows=train.head_chunk_rows,
        targets=None if train.lora.targets == "all-linear" else train.lora.targets,
        limit_gib=limit,
        gpu=gpu_memory_gib() is not None,
    )
    value: MemoryFigures = {
        "terms_gib": {name: round(gib, 3) for name, gib in plan.terms.items()},
        "total_gib": round(plan.total, 2),
        "limit_gib": round(limit, 2),
        "limit_is": origin,
        "micro_batch": plan.micro_batch,
        "longest_sequence": plan.longest,
    }
    if plan.total > limit and not run.recipe.ask_only:
        problems.append(
            f"training needs {plan.total:.1f} GiB at {train.max_length} tokens, but the limit is "
            f"{limit:.1f} GiB ({origin}); the longest sequence that fits has {plan.longest} tokens"
        )
    return value


def _training(run: Run, lengths: Lengths, estimated: list[str]) -> TrainingFigures:
    from kofinlaw.models.doctor import gpu_memory_gib

    train = run.recipe.train
    examples = int(lengths["examples"] * train.epochs)
    steps = -(-examples // train.effective_batch)
    if train.max_steps:
        steps = min(steps, train.max_steps)
    tokens = steps * train.effective_batch * lengths["mean_tokens"]
    if train.max_tokens and tokens > train.max_tokens:
        tokens = train.max_tokens
        steps = max(1, tokens // (train.effective_batch * lengths["mean_tokens"]))
    gpu = gpu_memory_gib() is not None
    # FLOP per token with P frozen parameters: 2·P forward, 2·P for the gradients of activations,
    # and 2·P for the second forward pass of gradient checkpointing.
    flops = 6 * float(_card(run).parameters) * tokens
    hours = flops / (GPU_FLOPS if gpu else CPU_FLOPS) / 3600
    estimated.append(f"hours: 6 × parameters × tokens at {'half a 4090' if gpu else '2 CPU cores'}")
    return {
        "steps": steps,
        "effective_batch": train.effective_batch,
        "tokens": tokens,
        "hours": round(hours, 2),
    }


def _answering(run: Run) -> AnsweringFigures:
    from kofinlaw.models.doctor import gpu_memory_gib
    from kofinlaw.models.memory.memory_plan import plan_serving_memory

    answer = run.recipe.answer
    bits = {"none": 16, "int8": 8, "nf4": 4}[answer.engine.quantization]
    plan = plan_serving_memory(
        _card(run),
        bits=bits,
        context=answer.engine.context_tokens,
        batch=1,
        gpu=gpu_memory_gib() is not None,
    )
    return {
        "budget_minutes": answer.budget_minutes,
        "total_gib": round(plan.total, 2),
        "bits": bits,
        "context_tokens": answer.engine.context_tokens,
    }


def tokens_per_character(model: str) -> float:
    """Return the tokens of a character of Korean text, by the catalogue or typical."""
    from kofinlaw.models.catalogue import lookup_model

    card = lookup_model(model)
    return (card.tokens_per_korean_char if card else None) or TOKENS_PER_CHARACTER


def _teacher(run: Run, problems: list[str], estimated: list[str]) -> TeacherPlan | None:
    """Return the cost of the recipe's teacher; requests and hours once the acts are known."""
    settings = run.recipe.augment.teacher
    if settings is None:
        return None
    from kofinlaw.augment.heldout.holdout_choice import held_out_titles
    from kofinlaw.augment.reading.acts import read_laws
    from kofinlaw.augment.teacher.estimate import estimate_cost, teacher_memory
    from kofinlaw.models.doctor import gpu_memory_gib

    gpu = gpu_memory_gib() is not None
    gib = teacher_memory(settings, gpu=gpu)
    found: TeacherPlan = {
        "model": settings.model.id,
        "outputs": settings.items,
        "total_gib": round(gib, 2) if gib is not None else None,
        "requests": None,
        "hours": None,
    }
    articles = run.folder / "data" / "articles.jsonl"
    if articles.exists():
        rate = tokens_per_character(settings.model.id)
        corpus = read_laws(read_jsonl(articles, Article))
        held: set[str] = set()
        try:
            held = set(held_out_titles(run.recipe.augment, corpus))
        except UserError as error:
            problems.append(str(error))
        laws = [law for law in corpus.acts if law.title not in held]
        cost = estimate_cost(
            settings, laws, run.recipe.seed, lambda text: int(rate * len(text)) + 1, gpu=gpu
        )
        hours = [row.hours for row in cost.rows if row.hours is not None]
        found["requests"] = sum(row.requests for row in cost.rows)
        found["hours"] = round(sum(hours), 2) if hours else None
        estimated.append("teacher: as if every output passed the first filters")
    return found


def _teacher_line(teacher: TeacherPlan) -> str:
    """Return the teacher's figures in one line."""
    gib = "memory unknown" if teacher["total_gib"] is None else f"{teacher['total_gib']} GiB"
    line = f"teacher: {teacher['model']}, {teacher['outputs']} outputs, {gib}"
    if teacher["requests"] is None:
        return f"{line}; requests and hours after `kofinlaw data`"
    hours = "hours unknown" if teacher["hours"] is None else f"about {teacher['hours']} hours"
    return f"{line}, {teacher['requests']} requests, {hours}"


def _disk(run: Run, problems: list[str]) -> DiskFigures:
    """Return the space for one GiB, and for two merged checkpoints in 16 bit if the recipe trains.

    There are two because one replaces the other.
    """
    merged = 0.0 if run.recipe.ask_only else 2 * 2 * float(_card(run).parameters) / GIB
    needed = merged + 1
    existing = run.folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free / GIB
    if free < needed:
        problems.append(f"{run.folder}: {free:.1f} GiB free, about {needed:.1f} GiB needed")
    return {"needed_gib": round(needed, 1), "free_gib": round(free, 1)}


def plan_lines(plan: Plan) -> list[str]:
    """Return the plan as lines for the terminal."""
    answering, disk = plan["answering"], plan["disk"]
    minutes = answering["budget_minutes"]
    lines = [f"plan of {plan['recipe']} under policy {plan['policy']}", ""]
    lines += [
        f"  {'allowed' if row['ok'] else 'REFUSED'}  {row['verdict']}" for row in plan["verdicts"]
    ]
    if plan["trains"]:
        lines += ["", *_training_lines(plan)]
    else:
        lines += ["", "nothing is trained: the base model answers (ask_only)"]
    if not plan["tested"]:
        lines.append("not proven: the recipe has no test questions")
    lines += [
        f"answering: {answering['total_gib']} GiB at {answering['bits']} bit, "
        + (f"budget {minutes:g} minutes" if minutes else "no time limit"),
        f"disk: {disk['needed_gib']} GiB needed, {disk['free_gib']} GiB free",
    ]
    if plan["teacher"] is not None:
        lines.insert(-1, _teacher_line(plan["teacher"]))
    if plan["first_example"]:
        lines += ["", "first example", ""]
        lines += [f"  {line}" for line in plan["first_example"]["rendered"].splitlines()]
    if plan["estimated"]:
        lines += ["", *[f"estimated · {note}" for note in plan["estimated"]]]
    if plan["problems"]:
        lines += ["", f"{len(plan['problems'])} problem(s):"]
        lines += [f"  ✗ {problem}" for problem in plan["problems"]]
    else:
        lines += ["", "no problem found"]
    return lines


def _training_lines(plan: Plan) -> list[str]:
    memory, training, lengths = plan["memory"], plan["training"], plan["lengths"]
    return [
        f"memory to train (limit {memory['limit_gib']} GiB: {memory['limit_is']})",
        *(f"  {name:<28}{gib:>9.3f} GiB" for name, gib in memory["terms_gib"].items()),
        f"  {'total':<28}{memory['total_gib']:>9.2f} GiB",
        f"  micro-batch that fits: {memory['micro_batch']}; longest sequence that fits: "
        f"{memory['longest_sequence']} tokens",
        "",
        f"training: {training['steps']} steps of {training['effective_batch']} examples, about "
        f"{training['tokens']:,} tokens, about {training['hours']} hours",
        f"examples: {lengths['examples']}, mean {lengths['mean_tokens']} tokens, longest "
        f"{lengths['longest_tokens'] or 'unknown'}",
    ]
