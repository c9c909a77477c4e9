"""A local model judges free-text answers by rubrics: every verdict kept, nothing averaged away.

Each answer is judged `repeats` times (the first greedy), each pair of systems in both orders, and
so are two controls: the reference itself, which must be judged well, and another question's
reference, which must be judged badly.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import JsonlAppender, read_json_lines, write_json
from kofinlaw.models.engines.base import Engine, Request
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.records import Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.judge.figures import Comparison, Verdict, judge_figures
from kofinlaw.scoring.judge.rubrics import Rubric, read_rubric, read_verdict
from kofinlaw.scoring.settings import JudgeSettings
from kofinlaw.tracing import NO_TRACE, Tracer

VERDICTS = "verdicts.jsonl"
BATCH = 16  # requests handed to the engine in one call and recorded together
REFERENCE, STRANGER = "control:reference", "control:stranger"


@dataclass(frozen=True, slots=True)
class Task:
    """One verdict to ask for: of `system` alone, or of `system` shown before `other`."""

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
) -> dict[str, Any]:
    """Judge every system's free-text answers; writes out/verdicts.jsonl and out/judge.json.

    What verdicts.jsonl already holds is not asked again. Returns what judge.json holds: figures by
    criterion and system with their unreadable share, comparisons, and whether the controls were
    told apart. Raises UserError where no free-text question has a key, or the engine cannot write
    constrained JSON.
    """
    asked = drawn([q for q in questions if not q.options and q.id in golds], settings.items, seed)
    if not asked:
        raise UserError("the judge reads free-text answers, and no question here is free text")
    tasks = list(tasks_of(asked, golds, sheets, settings))
    out.mkdir(parents=True, exist_ok=True)
    said = ask_judge(tasks, out / VERDICTS, engine, template, settings, seed, tracer, progress)
    singles, comparisons = [], []
    for task, text in zip(tasks, said, strict=True):
        found = read_verdict(text, task.rubric)
        score = found[0] if found else None
        if task.other:
            comparisons.append(Comparison(task.system, task.other, task.id, score))
        else:
            unit = None if score is None else task.rubric.unit(score)
            singles.append(Verdict(task.system, task.id, task.rubric.name, task.repeat, unit))
    figures = judge_figures(singles, comparisons, systems=list(sheets), seed=seed)
    rubrics = {task.rubric.name: task.rubric for task in tasks}
    result = {
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
    """At most so many questions (None: all), drawn by seed and kept in order."""
    if most is None or len(questions) <= most:
        return list(questions)
    places = sorted(random.Random(seed).sample(range(len(questions)), most))
    return [questions[place] for place in places]


def tasks_of(
    asked: Sequence[Question],
    golds: Mapping[str, Key],
    sheets: Mapping[str, AnswerSheet],
    settings: JudgeSettings,
) -> Iterator[Task]:
    """Every verdict to ask for, in a fixed order: criteria with their controls, comparisons."""
    controls = [REFERENCE, STRANGER] if settings.controls and len(asked) > 1 else []
    for name in settings.criteria:
        rubric = read_rubric(name, reasoning=settings.reasoning)
        for system in [*sheets, *controls]:
            for place, question in enumerate(asked):
                prompt = rubric.prompt(
                    inputs=question.question,
                    outputs=shown_answer(system, place, asked, golds, sheets, settings),
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
    """Two systems beside each other on every question, each of them shown first once."""
    rubric = read_rubric("pairwise", reasoning=settings.reasoning)
    for place, question in enumerate(asked):
        for one, two in ((first, second), (second, first)):
            prompt = rubric.prompt(
                inputs=question.question,
                outputs=shown_answer(one, place, asked, golds, sheets, settings),
                other_outputs=shown_answer(two, place, asked, golds, sheets, settings),
                reference_outputs=golds[question.id].reference,
            )
            yield Task(one, two, question.id, rubric, 0, prompt)


def shown_answer(
    system: str,
    place: int,
    asked: Sequence[Question],
    golds: Mapping[str, Key],
    sheets: Mapping[str, AnswerSheet],
    settings: JudgeSettings,
) -> str:
    """What the judge sees as the answer to the question at `place`; a control's is a reference."""
    if system == REFERENCE:
        return golds[asked[place].id].reference
    if system == STRANGER:
        return golds[asked[(place + 1) % len(asked)].id].reference
    answer = sheets[system].answers.get(asked[place].id)
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
    """The judge's words on every task, in order; the ledger keeps them by what was asked."""
    requests = [request_of(task, template, settings, seed) for task in tasks]
    keys = [key_of(settings, request) for request in requests]
    first = {key: place for place, key in reversed(list(enumerate(keys)))}
    with JsonlAppender(ledger) as lines:
        known = read_ledger(ledger)
        todo = sorted(place for key, place in first.items() if key not in known)
        for start in range(0, len(todo), BATCH):
            places = todo[start : start + BATCH]
            progress("judge", start, len(todo))
            with tracer.span("judge", model=settings.model.id, max_tokens=settings.max_tokens) as s:
                answers = engine.generate([requests[place] for place in places])
                for place, answer in zip(places, answers, strict=True):
                    task = tasks[place]
                    known[keys[place]] = answer.text
                    lines.append(
                        {
                            "key": keys[place],
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
    """The request of a task; repeats after the first are sampled with seeds of their own."""
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
    """What makes a verdict the same one: judge, prompt, schema and sampling."""
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
    """The judge's words by key."""
    return {str(row["key"]): str(row["text"]) for _, row in read_json_lines(path)}


@contextmanager
def open_judge(
    settings: JudgeSettings, *, cache: Path | None = None, seed: int = 0
) -> Iterator[tuple[Engine, ChatTemplate]]:
    """The judge's engine and chat template, from weights on this machine."""
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
