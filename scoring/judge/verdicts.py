"""Judge free-text answers with a local model and rubrics; every verdict is kept.

Each answer is judged `repeats` times (the first one greedily), and each pair of systems in both
orders. Two controls are judged as answers too: the reference itself, which must get a high score,
and another question's reference, which must get a low one.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import JsonlAppender, read_json_lines, write_json
from kofinlaw.models.engines.base import Engine, Request
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.records import Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.judge.figures import Comparison, Verdict, judge_figures
from kofinlaw.scoring.judge.rubrics import Rubric, read_rubric, read_verdict
from kofinlaw.scoring.scores_record import JudgeRecord
from kofinlaw.scoring.settings import JudgeSettings
from kofinlaw.tracing import NO_TRACE, Tracer

VERDICTS = "verdicts.jsonl"
BATCH = 16  # requests that the engine gets in one call and that are recorded together
REFERENCE, STRANGER = "control:reference", "control:stranger"


@dataclass(frozen=True, slots=True)
class Task:
    """One verdict to ask for: on `system` alone, or on `system` shown before `other`."""

    system: str
    other: str
    id: str
    rubric: Rubric
    repeat: int
    prompt: str


def judge_systems(
    questions: Sequence[Question],
    golds: Mapping[str, Key],
    sheets: Mapping[str, AnswerSheet],
    out: Path,
    *,
    engine: Engine,
    template: ChatTemplate,
    settings: JudgeSettings,
    seed: int = 0,
    tracer: Tracer = NO_TRACE,
    progress: Progress = silent,
) -> JudgeRecord:
    """Judge every system's free-text answers; writes out/verdicts.jsonl and out/judge.json.

    Verdicts that verdicts.jsonl already holds are not asked for again. Returns what judge.json
    holds: figures by criterion and system with their unreadable share, comparisons, and how well
    the judge distinguishes the controls. Raises UserError if no free-text question has a key, or
    if the engine does not support JSON schemas.
    """
    asked = drawn([q for q in questions if not q.options and q.id in golds], settings.items, seed)
    if not asked:
        raise UserError("the judge needs free-text questions, and there is none with a key")
    tasks = list(tasks_of(asked, golds, sheets, settings))
    out.mkdir(parents=True, exist_ok=True)
    texts = ask_judge(tasks, out / VERDICTS, engine, template, settings, seed, tracer, progress)
    verdicts: list[Verdict] = []
    comparisons: list[Comparison] = []
    for task, text in zip(tasks, texts, strict=True):
        found = read_verdict(text, task.rubric)
        score = found[0] if found else None
        if task.other:
            winner = None if score is None else str(score)
            comparisons.append(Comparison(task.system, task.other, task.id, winner))
        else:
            unit = None if score is None else task.rubric.unit(float(score))
            verdicts.append(Verdict(task.system, task.id, task.rubric.name, task.repeat, unit))
    figures = judge_figures(verdicts, comparisons, systems=list(sheets), seed=seed)
    rubrics = {task.rubric.name: task.rubric for task in tasks}
    result: JudgeRecord = {
        "judge": settings.model.id,
        "engine": engine.name,
        "deterministic": engine.deterministic,
        "items": len(asked),
        "repeats": settings.repeats,
        "rubrics": {
            name: {
                "version": rubric.version,
                "sha256": rubric.sha256,
                "choices": list(rubric.choices),
            }
            for name, rubric in rubrics.items()
        },
        "template_sha256": template.sha256,
        **figures,
    }
    write_json(out / "judge.json", result)
    return result


def drawn(questions: Sequence[Question], most: int | None, seed: int) -> list[Question]:
    """Draw at most `most` questions by seed, in their own order; None keeps all."""
    if most is None or len(questions) <= most:
        return list(questions)
    chosen = sorted(random.Random(seed).sample(range(len(questions)), most))
    return [questions[index] for index in chosen]


def tasks_of(
    asked: Sequence[Question],
    golds: Mapping[str, Key],
    sheets: Mapping[str, AnswerSheet],
    settings: JudgeSettings,
) -> Iterator[Task]:
    """Yield every verdict to ask for in a fixed order: criteria with controls, comparisons."""
    controls = [REFERENCE, STRANGER] if settings.controls and len(asked) > 1 else []
    for name in settings.criteria:
        rubric = read_rubric(name, reasoning=settings.reasoning)
        for system in [*sheets, *controls]:
            for index, question in enumerate(asked):
                prompt = rubric.prompt(
                    inputs=question.question,
                    outputs=shown_answer(system, index, asked, golds, sheets, settings),
                    reference_outputs=golds[question.id].reference,
                )
                for repeat in range(settings.repeats if system in sheets else 1):
                    yield Task(system, "", question.id, rubric, repeat, prompt)
    if settings.pairwise:
        for first, second in combinations(sheets, 2):
            yield from pair_tasks(first, second, asked, golds, sheets, settings)


def pair_tasks(
    first: str,
    second: str,
    asked: Sequence[Question],
    golds: Mapping[str, Key],
    sheets: Mapping[str, AnswerSheet],
    settings: JudgeSettings,
) -> Iterator[Task]:
    """Yield the comparisons of two systems on every question, each system first once."""
    rubric = read_rubric("pairwise", reasoning=settings.reasoning)
    for index, question in enumerate(asked):
        for one, two in ((first, second), (second, first)):
            prompt = rubric.prompt(
                inputs=question.question,
                outputs=shown_answer(one, index, asked, golds, sheets, settings),
                other_outputs=shown_answer(two, index, asked, golds, sheets, settings),
                reference_outputs=golds[question.id].reference,
            )
            yield Task(one, two, question.id, rubric, 0, prompt)


def shown_answer(
    system: str,
    index: int,
    asked: Sequence[Question],
    golds: Mapping[str, Key],
    sheets: Mapping[str, AnswerSheet],
    settings: JudgeSettings,
) -> str:
    """Return what the judge sees as the answer to question `index`; controls show a reference."""
    if system == REFERENCE:
        return golds[asked[index].id].reference
    if system == STRANGER:
        return golds[asked[(index + 1) % len(asked)].id].reference
    answer = sheets[system].answers.get(asked[index].id)
    text = answer.answer.strip() if answer else ""
    return text[: settings.answer_characters] or "(답 없음)"


def ask_judge(
    tasks: Sequence[Task],
    ledger: Path,
    engine: Engine,
    template: ChatTemplate,
    settings: JudgeSettings,
    seed: int,
    tracer: Tracer,
    progress: Progress,
) -> list[str]:
    """Return the judge's text for every task, in order; the ledger keeps them by request."""
    requests = [request_of(task, template, settings, seed) for task in tasks]
    keys = [key_of(settings, request) for request in requests]
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    with JsonlAppender(ledger) as lines:
        known = read_ledger(ledger)
        todo = sorted(index for key, index in first.items() if key not in known)
        for start in range(0, len(todo), BATCH):
            batch = todo[start : start + BATCH]
            progress("judge", start, len(todo))
            with tracer.span("judge", model=settings.model.id, max_tokens=settings.max_tokens) as s:
                answers = engine.generate([requests[index] for index in batch])
                for index, answer in zip(batch, answers, strict=True):
                    task = tasks[index]
                    known[keys[index]] = answer.text
                    lines.append(
                        {
                            "key": keys[index],
                            "system": task.system,
                            "other": task.other,
                            "id": task.id,
                            "criterion": task.rubric.name,
                            "repeat": task.repeat,
                            "text": answer.text,
                            "finish": answer.finish,
                            "tokens": answer.tokens,
                        }
                    )
                    s.item(task.id, system=task.system, prompt=task.prompt, answer=answer.text)
    progress("judge", len(todo), len(todo))
    return [known[key] for key in keys]


def request_of(task: Task, template: ChatTemplate, settings: JudgeSettings, seed: int) -> Request:
    """Return the request of a task; repeats after the first are sampled, each with its own seed."""
    prompt = template.render([{"role": "user", "content": task.prompt}], add_generation_prompt=True)
    digest = hashlib.sha256(f"{seed}\x1f{task.repeat}\x1f{prompt}".encode()).digest()
    return Request(
        prompt,
        max_tokens=settings.max_tokens,
        stop=(template.stop,),
        temperature=settings.temperature if task.repeat else 0.0,
        seed=int.from_bytes(digest[:4], "big") & 0x7FFFFFFF,
        json_schema=task.rubric.schema,
        logprob=False,
    )


def key_of(settings: JudgeSettings, request: Request) -> str:
    """Return a hash of what identifies a verdict: judge, prompt, schema and sampling."""
    parts = (
        settings.model.id,
        settings.model.revision,
        request.prompt,
        request.max_tokens,
        request.temperature,
        request.seed,
        request.json_schema,
    )
    return hashlib.sha256(repr(parts).encode("utf-8")).hexdigest()


def read_ledger(path: Path) -> dict[str, str]:
    """Return the judge's texts by the key of their request."""
    return {str(row["key"]): str(row["text"]) for _, row in read_json_lines(path)}


@contextmanager
def open_judge(
    settings: JudgeSettings, *, cache: Path | None = None, seed: int = 0
) -> Iterator[tuple[Engine, ChatTemplate]]:
    """Open the judge's engine and chat template, from weights on this machine."""
    from kofinlaw.models.catalogue import find_model
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.resolve import local_folder, model_folder

    served = settings.engine.engine in ("openai", "dummy")
    if served:
        folder = local_folder(settings.model, cache=cache)
        template = template_for(folder or find_model(settings.model.id))
    else:
        folder = model_folder(settings.model, cache=cache)
        template = template_for(folder)
    with open_engine(settings.engine, folder, seed=seed) as engine:
        yield engine, template
