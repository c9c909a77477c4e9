"""Estimate the cost of a teacher before it is loaded: requests, tokens, hours and GiB by task.

Hours are computed from the catalogue's parameter counts. Reading a token costs two operations for
each parameter; writing one reads every weight once for all requests of a batch. The machine's rates
are rounded measurements (docs/benchmarks.md), and the results are marked as estimates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw import UserError
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.choice_filters import SHORT_OPTION
from kofinlaw.augment.teacher.prompt_files import read_prompt
from kofinlaw.augment.teacher.synthesis import sources_of
from kofinlaw.augment.teacher.tasks import TASKS, Source, Task
from kofinlaw.models.catalogue import ModelCard, find_model
from kofinlaw.models.memory.memory_plan import plan_serving_memory

__all__ = [
    "CARD",
    "LLAMACPP_CPU",
    "PROMPT_TOKENS",
    "SHORT_PROMPT_TOKENS",
    "TRANSFORMERS_CPU",
    "TYPICAL_ANSWER",
    "TYPICAL_SHARE",
    "TaskCost",
    "TeacherCost",
    "cost_table",
    "estimate_cost",
    "teacher_memory",
]

# An output has about half the length that its schema allows, a second answer about 40 characters.
TYPICAL_SHARE = 0.5
TYPICAL_ANSWER = 40
# Tokens of a long prompt with its output: a paraphrase of five long options.
PROMPT_TOKENS = 2048
SHORT_PROMPT_TOKENS = 512  # of a short one
# (operations per second, bytes per second): two processor cores with llama.cpp and with
# transformers, and a 24 GB card at half of its nominal rates.
LLAMACPP_CPU = (1.6e11, 1.8e10)
TRANSFORMERS_CPU = (1.6e11, 5e9)
CARD = (8e13, 5e11)


@dataclass(frozen=True)
class TaskCost:
    """The cost of one task. `requests` includes second answers, checks and judgements.

    `hours` is None if the size of the model is unknown.
    """

    task: str
    outputs: int
    requests: int
    prompt_tokens: int
    answer_tokens: int
    hours: float | None


@dataclass(frozen=True)
class TeacherCost:
    """The cost of a teacher: by task, its memory in GiB, and one filled prompt as a sample.

    `gib` is None if the shape of the model is unknown or a server runs it.
    """

    rows: tuple[TaskCost, ...]
    gib: float | None
    sample: str


def estimate_cost(
    settings: TeacherSettings,
    laws: Sequence[Law],
    seed: int,
    count: Callable[[str], int],
    *,
    gpu: bool = False,
) -> TeacherCost:
    """Estimate the cost of a teacher on these acts, as if every output passed the first filters.

    A checker has its own row, and its memory is added: the teacher stays loaded.

    Args:
        settings: The recipe's section `augment.teacher`.
        laws: The acts to show.
        seed: Decides the choice of provisions, as in the stage.
        count: Counts or estimates tokens of the teacher.
        gpu: Whether the model runs on a card.
    """
    card = _card(settings)
    by_task: dict[str, list[Source]] = {}
    drafts = _drafts(settings, laws, seed)
    for task, source in sources_of(settings, laws, seed, drafts):
        by_task.setdefault(task.name, []).append(source)
    rows = [
        _task_cost(TASKS[name], sources, settings, card, count, gpu)
        for name, sources in by_task.items()
    ]
    if settings.checker is not None:
        own = settings.model_copy(update=dict(settings.checker))
        checker = _card(own)
        checks = [text for name, s in by_task.items() for text in _checks(TASKS[name], s)]
        read = sum(map(count, checks))
        hours = _hours(own, checker, read, 2 * len(checks), gpu)
        rows.append(TaskCost("checker", 0, len(checks), read, 2 * len(checks), hours))
    sample = next((read_prompt(name).fill_source(s[0]) for name, s in by_task.items() if s), "")
    return TeacherCost(tuple(rows), teacher_memory(settings, gpu=gpu), sample)


def _drafts(settings: TeacherSettings, laws: Sequence[Law], seed: int) -> list[Draft]:
    """Return the acts' questions by rule, if a task shows them."""
    shown = [name for name, weight in settings.tasks.items() if weight > 0]
    if not any(TASKS[name].given == "choice" for name in shown):
        return []
    return list(draft_questions(Laws(tuple(laws)), seed))


def _checks(task: Task, sources: Sequence[Source]) -> list[str]:
    """Return the prompts that check paraphrases in both directions, each filled with originals."""
    asked = read_prompt("same_question")
    entails = read_prompt("entails")
    found = []
    for source in sources:
        if task.name in ("rephrasing", "choice_paraphrase"):
            found += [asked.fill(passage=source.question, answer=source.question)] * 2
        if task.name == "choice_paraphrase":
            rewritten = [o for o in source.options if len(normalize(o)) > SHORT_OPTION]
            found += [entails.fill(passage=o, answer=o) for o in rewritten for _ in range(2)]
    return found


def _task_cost(
    task: Task,
    sources: Sequence[Source],
    settings: TeacherSettings,
    card: ModelCard | None,
    count: Callable[[str], int],
    gpu: bool,
) -> TaskCost:
    prompt = read_prompt(task.name)
    read = sum(count(prompt.fill_source(source)) for source in sources)
    written = len(sources) * count("가" * round(task.longest * TYPICAL_SHARE))
    requests = len(sources)
    again = "pick" if task.choice else "reanswer"
    for name, wanted in ((again, task.reanswered), ("judge", settings.judge)):
        if wanted:
            turns = len(sources) * len(task.turns)
            requests += turns
            read += turns * count(read_prompt(name).text)
            written += turns * count("가" * (1 if name == "pick" else TYPICAL_ANSWER))
    if settings.checker is None:
        checks = _checks(task, sources)
        requests += len(checks)
        read += sum(map(count, checks))
        written += 2 * len(checks)
    hours = _hours(settings, card, read, written, gpu)
    return TaskCost(task.name, len(sources), requests, read, written, hours)


def _card(settings: TeacherSettings) -> ModelCard | None:
    try:
        card = find_model(settings.model.id)
    except UserError:
        return None
    return card if card.parameters else None


def _bits(settings: TeacherSettings) -> int:
    engine = settings.engine
    if engine.engine == "llamacpp" or engine.quantization == "nf4":
        return 4
    return 8 if engine.quantization in ("int8", "fp8") else 16


def _hours(
    settings: TeacherSettings, card: ModelCard | None, read: int, written: int, gpu: bool
) -> float | None:
    if card is None:
        return None
    engine = settings.engine
    together = _together(settings)
    on_cpu = LLAMACPP_CPU if engine.engine == "llamacpp" else TRANSFORMERS_CPU
    operations, bytes_moved = CARD if gpu else on_cpu
    token_seconds = 2 * card.parameters / operations
    weight_bytes = card.parameters * _bits(settings) / 8
    step_seconds = max(weight_bytes / bytes_moved, together * token_seconds)
    return (read * token_seconds + written / together * step_seconds) / 3600


def teacher_memory(settings: TeacherSettings, *, gpu: bool = False) -> float | None:
    """Return the memory in GiB of a teacher and its checker, which are loaded together.

    None if the shape of a model is unknown or a server runs the teacher.
    """
    gib = _memory(settings, _card(settings), gpu)
    if settings.checker is None:
        return gib
    own = settings.model_copy(update=dict(settings.checker))
    more = _memory(own, _card(own), gpu)
    return gib + more if gib is not None and more is not None else None


def _together(settings: TeacherSettings) -> int:
    """Return how many requests run at once: the engine limits the prompt tokens of a pass."""
    engine = settings.engine
    if engine.engine in ("llamacpp", "openai"):
        return engine.slots
    fitting = max(engine.max_batch_tokens // SHORT_PROMPT_TOKENS, 1)
    return min(settings.batch, engine.max_batch_size, fitting)


def _memory(settings: TeacherSettings, card: ModelCard | None, gpu: bool) -> float | None:
    if card is None or settings.engine.engine == "openai":
        return None
    engine = settings.engine
    if engine.engine == "llamacpp":
        together, context = engine.slots, engine.context_tokens
    else:
        context = PROMPT_TOKENS
        held = engine.max_batch_tokens + _together(settings) * settings.max_tokens
        together = math.ceil(held / context)
    try:
        return plan_serving_memory(
            card, bits=_bits(settings), context=context, batch=together, gpu=gpu
        ).total
    except UserError:
        return None


def cost_table(found: TeacherCost) -> list[str]:
    """Return the estimate as lines of text."""
    head = f"  {'task':<16}{'outputs':>8}{'requests':>9}{'read':>10}{'written':>9}{'hours':>8}"
    lines = [head + "   (estimated)"]
    for row in found.rows:
        hours = "?" if row.hours is None else f"{row.hours:.2f}"
        lines.append(
            f"  {row.task:<16}{row.outputs:>8}{row.requests:>9}{row.prompt_tokens:>10}"
            f"{row.answer_tokens:>9}{hours:>8}"
        )
    known = [row.hours for row in found.rows if row.hours is not None]
    total = f"{sum(known):.2f} hours" if known else "hours unknown: the model is not catalogued"
    memory = "" if found.gib is None else f", {found.gib:.1f} GiB"
    return [*lines, f"  in all {total}{memory}"]
