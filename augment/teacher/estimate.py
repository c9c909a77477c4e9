"""What a teacher will cost, before anything is loaded: requests, tokens, hours and GiB by task.

Hours are arithmetic over the catalogue's parameter counts: reading a token costs two operations a
parameter, writing one reads every weight once for all requests of a batch. The machine's rates are
round figures of what was measured (docs/benchmarks.md); the results are marked as estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw import UserError
from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.prompt_files import read_prompt
from kofinlaw.augment.teacher.tasks import TASKS, Source, Task
from kofinlaw.augment.teacher.write import sources_of
from kofinlaw.models.catalogue import ModelCard, find_model
from kofinlaw.models.memory.plan import plan_serving_memory

# An output is about half as long as its schema allows; an answer to a question about 40 characters.
TYPICAL_SHARE = 0.5
TYPICAL_ANSWER = 40
# (operations a second, bytes a second): two processor cores under llama.cpp and under
# transformers, and a 24 GB card at half its nominal rates.
LLAMACPP_CPU = (1.6e11, 1.8e10)
TRANSFORMERS_CPU = (1.6e11, 5e9)
CARD = (8e13, 5e11)


@dataclass(frozen=True)
class Row:
    """One task's share: requests (its outputs and their second answers), tokens, hours.

    `hours` is None where the model's size is unknown.
    """

    task: str
    outputs: int
    requests: int
    prompt_tokens: int
    answer_tokens: int
    hours: float | None


@dataclass(frozen=True)
class Estimate:
    """A teacher's whole cost; `gib` is None where the model's shape is unknown."""

    rows: tuple[Row, ...]
    gib: float | None
    sample: str


def estimate(
    settings: TeacherSettings,
    laws: Sequence[Law],
    seed: int,
    count: Callable[[str], int],
    *,
    gpu: bool = False,
) -> Estimate:
    """The cost of a teacher on these acts; every output is taken to be answered again.

    `count` counts tokens of the teacher, or estimates them.
    """
    card = _card(settings)
    by_task: dict[str, list[Source]] = {}
    for task, source in sources_of(settings, laws, seed):
        by_task.setdefault(task.name, []).append(source)
    rows = [
        _row(TASKS[name], sources, settings, card, count, gpu) for name, sources in by_task.items()
    ]
    sample = next((_prompt(name, s[0]) for name, s in by_task.items() if s), "")
    return Estimate(tuple(rows), _memory(settings, card, gpu), sample)


def _prompt(name: str, source: Source) -> str:
    return read_prompt(name).filled(
        title=source.title,
        place=source.place,
        passage=source.passage,
        question=source.question,
        answer=source.answer,
    )


def _row(
    task: Task,
    sources: Sequence[Source],
    settings: TeacherSettings,
    card: ModelCard | None,
    count: Callable[[str], int],
    gpu: bool,
) -> Row:
    read = sum(count(_prompt(task.name, source)) for source in sources)
    written = len(sources) * count("가" * round(task.longest * TYPICAL_SHARE))
    requests = len(sources)
    for name, wanted in (("reanswer", task.reanswered), ("judge", settings.judge)):
        if wanted:
            turns = len(sources) * len(task.turns)
            requests += turns
            read += turns * count(read_prompt(name).text)
            written += turns * count("가" * TYPICAL_ANSWER)
    hours = _hours(settings, card, read, written, gpu)
    return Row(task.name, len(sources), requests, read, written, hours)


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
    return 8 if engine.quantization == "int8" else 16


def _hours(
    settings: TeacherSettings, card: ModelCard | None, read: int, written: int, gpu: bool
) -> float | None:
    if card is None:
        return None
    engine = settings.engine
    together = engine.slots if engine.engine in ("llamacpp", "openai") else settings.batch
    on_cpu = LLAMACPP_CPU if engine.engine == "llamacpp" else TRANSFORMERS_CPU
    operations, bytes_moved = CARD if gpu else on_cpu
    a_token = 2 * card.parameters / operations
    a_step = max(card.parameters * _bits(settings) / 8 / bytes_moved, together * a_token)
    return (read * a_token + written / together * a_step) / 3600


def _memory(settings: TeacherSettings, card: ModelCard | None, gpu: bool) -> float | None:
    if card is None or settings.engine.engine == "openai":
        return None
    engine = settings.engine
    together = engine.slots if engine.engine == "llamacpp" else min(settings.batch, 32)
    context = engine.context_tokens if engine.engine == "llamacpp" else 1024
    try:
        return plan_serving_memory(
            card, bits=_bits(settings), context=context, batch=together, gpu=gpu
        ).total
    except UserError:
        return None


def table(found: Estimate) -> list[str]:
    """The estimate as lines of text."""
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
