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
from kofinlaw.files import JsonlAppender, read_json_lines, repair_lines, write_json
from kofinlaw.models.engines.base import Engine, Generation, Request
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.records import Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.judge.judge_figures import Comparison, Verdict, judge_figures
from kofinlaw.scoring.judge.rubrics import Rubric, read_rubric, read_verdict
from kofinlaw.scoring.scores_record import JudgeRecord
from kofinlaw.scoring.settings import JudgeSettings
from kofinlaw.tracing import NO_TRACE, Tracer

__all__ = [
    "BATCH",
    "REFERENCE",
    "STRANGER",
    "VERDICTS",
    "JudgeEngine",
    "JudgedAnswers",
    "Task",
    "drawn",
    "judge_systems",
    "ledger_row",
    "open_judge",
    "pair_tasks",
    "read_ledger",
    "tasks_of",
]

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


@dataclass(frozen=True, slots=True)
class JudgedAnswers:
    """The free-text questions that are judged, with their keys and every system's answers."""

    questions: Sequence[Question]
    golds: Mapping[str, Key]
    sheets: Mapping[str, AnswerSheet]
    characters: int  # of an answer that the judge sees

    def shown(self, system: str, index: int) -> str:
        """Return the answer to question `index` as the judge sees it; a control is a reference."""
        if system == REFERENCE:
            return self.reference(index)
        if system == STRANGER:
            return self.reference((index + 1) % len(self.questions))
        answer = self.sheets[system].answers.get(self.questions[index].id)
        text = answer.answer.strip() if answer else ""
        return text[: self.characters] or "(답 없음)"

    def reference(self, index: int) -> str:
        """Return the reference of question `index`."""
        return self.golds[self.questions[index].id].reference


@dataclass(frozen=True, slots=True)
class JudgeEngine:
    """The engine of a judge with its chat template and settings."""

    engine: Engine
    template: ChatTemplate
    settings: JudgeSettings
    seed: int

    def request(self, task: Task) -> Request:
        """Return the request of a task; repeats after the first are sampled, each with its seed."""
        messages = [{"role": "user", "content": task.prompt}]
        prompt = self.template.render(messages, add_generation_prompt=True)
        digest = hashlib.sha256(f"{self.seed}\x1f{task.repeat}\x1f{prompt}".encode()).digest()
        return Request(
            prompt,
            max_tokens=self.settings.max_tokens,
            stop=(self.template.stop,),
            temperature=self.settings.temperature if task.repeat else 0.0,
            seed=int.from_bytes(digest[:4], "big") & 0x7FFFFFFF,
            json_schema=task.rubric.schema,
            logprob=False,
        )

    def key(self, request: Request) -> str:
        """Return a hash of what identifies a verdict: judge, prompt, schema and sampling."""
        parts = (
            self.settings.model.id,
            self.settings.model.revision,
            request.prompt,
            request.max_tokens,
            request.temperature,
            request.seed,
            request.json_schema,
        )
        return hashlib.sha256(repr(parts).encode("utf-8")).hexdigest()

    def ask(
        self, tasks: Sequence[Task], ledger: Path, *, tracer: Tracer, progress: Progress
    ) -> list[str]:
        """Return the judge's text for every task, in order; the ledger keeps them by request."""
        requests = [self.request(task) for task in tasks]
        keys = [self.key(request) for request in requests]
        first = {key: index for index, key in reversed(list(enumerate(keys)))}
        unreadable = repair_lines(ledger, _check_row)
        if unreadable:
            progress("judge: ledger", 0, None, note=unreadable)
        with JsonlAppender(ledger) as lines:
            known = read_ledger(ledger)
            todo = sorted(index for key, index in first.items() if key not in known)
            for start in range(0, len(todo), BATCH):
                batch = todo[start : start + BATCH]
                progress("judge", start, len(todo))
                with tracer.span(
                    "judge", model=self.settings.model.id, max_tokens=self.settings.max_tokens
                ) as span:
                    answers = self.engine.generate([requests[index] for index in batch])
                    for index, answer in zip(batch, answers, strict=True):
                        task = tasks[index]
                        known[keys[index]] = answer.text
                        lines.append(ledger_row(keys[index], task, answer))
                        span.item(
                            task.id, system=task.system, prompt=task.prompt, answer=answer.text
                        )
        progress("judge", len(todo), len(todo))
        return [known[key] for key in keys]


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
    judged = JudgedAnswers(asked, golds, sheets, settings.answer_characters)
    tasks = list(tasks_of(judged, settings))
    out.mkdir(parents=True, exist_ok=True)
    judge = JudgeEngine(engine, template, settings, seed)
    texts = judge.ask(tasks, out / VERDICTS, tracer=tracer, progress=progress)
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


def tasks_of(judged: JudgedAnswers, settings: JudgeSettings) -> Iterator[Task]:
    """Yield every verdict to ask for in a fixed order: criteria with controls, comparisons."""
    with_controls = settings.controls and len(judged.questions) > 1
    controls = [REFERENCE, STRANGER] if with_controls else []
    for name in settings.criteria:
        rubric = read_rubric(name, reasoning=settings.reasoning)
        for system in [*judged.sheets, *controls]:
            for index, question in enumerate(judged.questions):
                prompt = rubric.prompt(
                    inputs=question.question,
                    outputs=judged.shown(system, index),
                    reference_outputs=judged.reference(index),
                )
                for repeat in range(settings.repeats if system in judged.sheets else 1):
                    yield Task(system, "", question.id, rubric, repeat, prompt)
    if settings.pairwise:
        rubric = read_rubric("pairwise", reasoning=settings.reasoning)
        for first, second in combinations(judged.sheets, 2):
            yield from pair_tasks(first, second, judged, rubric)


def pair_tasks(first: str, second: str, judged: JudgedAnswers, rubric: Rubric) -> Iterator[Task]:
    """Yield the comparisons of two systems on every question, each system first once."""
    for index, question in enumerate(judged.questions):
        for one, two in ((first, second), (second, first)):
            prompt = rubric.prompt(
                inputs=question.question,
                outputs=judged.shown(one, index),
                other_outputs=judged.shown(two, index),
                reference_outputs=judged.reference(index),
            )
            yield Task(one, two, question.id, rubric, 0, prompt)


def ledger_row(key: str, task: Task, answer: Generation) -> dict[str, object]:
    """Return what the ledger keeps of a verdict."""
    return {
        "key": key,
        "system": task.system,
        "other": task.other,
        "id": task.id,
        "criterion": task.rubric.name,
        "repeat": task.repeat,
        "text": answer.text,
        "finish": answer.finish,
        "tokens": answer.tokens,
    }


def _check_row(row: Mapping[str, object]) -> None:
    """Raise TypeError or KeyError for a line of the ledger without key and text."""
    if not (isinstance(row["key"], str) and isinstance(row["text"], str)):
        raise TypeError("key and text must be texts")


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
