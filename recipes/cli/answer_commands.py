"""Define the commands that answer questions with a run's model: ask and answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import command_line, print_json, say, say_next, short_path
from kofinlaw.recipes.cli.options import AsJson, RunFolder

if TYPE_CHECKING:
    from kofinlaw.models.engines.base import Engine
    from kofinlaw.models.templates import ChatTemplate
    from kofinlaw.rag.answer.answer_book import AnsweringResult
    from kofinlaw.rag.answer.single_question import AskedAnswer
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["SHOWN_CHARACTERS", "answer", "ask", "process_started"]

SHOWN_CHARACTERS = 160  # of each passage, on the terminal


def ask(
    question: Annotated[str, typer.Argument(help="질문. Options may follow on their own lines.")],
    run: RunFolder = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Only law in force on this day, for example 2026-01-01."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer one question from a run's index and show the evidence."""
    import dataclasses

    from kofinlaw.recipes.api import open_run
    from kofinlaw.recipes.pipeline.evaluation.serving_notes import serving_notes

    day = _day(as_of)
    if not question.strip():
        raise UserError("the question is empty", where="ask", remedy="write it in quotation marks")
    bound = bound_run(run)
    for note in serving_notes(bound):
        typer.echo(note, err=True)
    with open_run(bound.folder) as opened:
        result = opened.ask(question, as_of=day)
    if as_json:
        print_json(dataclasses.asdict(result))
        return
    for line in _answer_lines(result):
        say(line)


def _day(text: str | None) -> date | None:
    """Return the day `2026-01-01`. Raises UserError for any other form."""
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError as error:
        raise UserError(
            f"{text!r} is not a day", where="--as-of", remedy="write it as 2026-01-01"
        ) from error


def _answer_lines(result: AskedAnswer) -> list[str]:
    units = [hit.unit for hit in result.evidence if hit.chunk == result.quoted]
    lines = ["", result.answer, *[f"인용 · {unit}" for unit in units], ""]
    lines += [
        f"「{act.title}」: 그날 시행 중인 조문이 없습니다 (말뭉치의 첫 시행일 {act.first})"
        for act in result.absent
    ]
    lines.append("근거" if result.evidence else "근거 없음")
    for hit in result.evidence:
        version = f" ({hit.version})" if hit.version else ""
        body = " ".join(hit.text.split())
        more = "…" if len(body) > SHOWN_CHARACTERS else ""
        lines.append(f"  · {hit.unit}{version}  ({hit.score:.2f}, {hit.by})")
        lines.append(f"    {body[:SHOWN_CHARACTERS]}{more}")
    return lines


def answer(
    questions: Annotated[Path, typer.Argument(help="ID,Question CSV, or JSON Lines.")],
    run: RunFolder = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the answers; default: RUN/answers/<file name>."),
    ] = None,
    budget_minutes: Annotated[
        float | None, typer.Option(help="Total minutes, including loading.")
    ] = None,
    check_budget: Annotated[
        bool,
        typer.Option(
            "--check-budget", help="Only time a sample; exit code 1 if all questions will not fit."
        ),
    ] = False,
    runs: Annotated[
        int,
        typer.Option(help="Answer this many times, as the contest does; print mean and spread."),
    ] = 1,
    key: Annotated[
        Path | None, typer.Option("--key", help="With --runs: JSON Lines of keys, for accuracy.")
    ] = None,
    replay_plan: Annotated[
        Path | None,
        typer.Option("--replay-plan", help="plan.jsonl of an earlier run to repeat exactly."),
    ] = None,
) -> None:
    """Answer a question file before the deadline; the submission file is always complete."""
    from kofinlaw.models.identity import model_fingerprint
    from kofinlaw.offline import guard
    from kofinlaw.rag.answer.answer_file import answer_questions
    from kofinlaw.rag.answer.run_context import RunContext
    from kofinlaw.rag.questions.question_csv import converted_form
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.recipes.pipeline.run import serving_folder
    from kofinlaw.trace_files import open_tracer

    started = process_started()
    bound = bound_run(run)
    recipe = bound.recipe
    out = out or bound.folder / "answers" / questions.stem
    with guard(offline=recipe.offline), run_lock(out, lambda line: say(f"  {line}")):
        if check_budget:
            _check_budget(questions, recipe.seed, _Answering.load(bound, budget_minutes))
            return
        with stage_progress("answer") as progress:

            def answer_into(folder: Path, started: float) -> AnsweringResult:
                parts = _Answering.load(bound, budget_minutes)
                with open_tracer(recipe.trace, folder, offline=recipe.offline) as tracer:
                    return answer_questions(
                        questions,
                        folder,
                        open_engine=parts.open_engine,
                        template=parts.template,
                        retriever=parts.retriever,
                        settings=parts.settings,
                        replay=replay_plan,
                        model=model_fingerprint(serving_folder(bound), recipe.answer.engine.gguf),
                        context=RunContext(
                            seed=recipe.seed, started=started, tracer=tracer, progress=progress
                        ),
                    )

            if runs != 1:
                _repeat(questions, out, runs, key, answer_into)
                return
            result = answer_into(out, started)
    say(f"{result.questions} answers, {result.fallback} of them fallback answers without the model")
    if result.events.get("question_file_changed"):
        say(f"{questions} changed during the run: the answers are to its content at the start")
    say(f"submission: {short_path(out / 'submission.csv')}")
    form = converted_form(questions)
    if form:
        say(f"  {questions} is {form}; the submission is UTF-8 with a mark that Excel reads")
    score = ["score", short_path(out), "--questions", questions, "--key"]
    evaluate = recipe.evaluate
    own = evaluate.questions and bound.path(evaluate.questions).resolve() == questions.resolve()
    if own and evaluate.key:
        say_next(command_line(*score, short_path(bound.path(evaluate.key))))
    else:
        say(f"If you have the right answers, score them with `{command_line(*score, 'FILE')}`.")


@dataclass(frozen=True)
class _Answering:
    """The parts of a run that answer: its model, chat template, retriever and settings."""

    open_engine: Callable[[], Engine]
    template: ChatTemplate
    retriever: Retriever
    settings: AnswerSettings

    @classmethod
    def load(cls, bound: Run, budget_minutes: float | None) -> _Answering:
        """Open the run's index; the engine is opened by the caller, when it is needed."""
        from kofinlaw.models.engines.factory import open_engine
        from kofinlaw.models.templates import template_for
        from kofinlaw.rag.index.index import Index
        from kofinlaw.rag.retrieve.retriever import Retriever
        from kofinlaw.recipes.pipeline.fitting.voter_fitting import serving_settings
        from kofinlaw.recipes.pipeline.run import serving_folder

        recipe = bound.recipe
        settings = serving_settings(bound)
        if budget_minutes is not None:
            settings = settings.model_copy(update={"budget_minutes": budget_minutes})
        folder = serving_folder(bound)
        return cls(
            open_engine=lambda: open_engine(settings.engine, folder, seed=recipe.seed),
            template=template_for(folder),
            retriever=Retriever(Index.load(bound.folder / "index"), recipe.rag, cache=bound.cache),
            settings=settings,
        )


def _check_budget(questions: Path, seed: int, parts: _Answering) -> None:
    from kofinlaw.rag.answer.budget_check import check_budget
    from kofinlaw.rag.answer.run_context import RunContext

    result = check_budget(
        questions,
        open_engine=parts.open_engine,
        template=parts.template,
        retriever=parts.retriever,
        settings=parts.settings,
        context=RunContext(seed=seed),
    )
    for line in result.lines():
        say(line)
    if not result.fits:
        raise typer.Exit(1)


def _repeat(
    questions: Path,
    out: Path,
    runs: int,
    key: Path | None,
    answer_into: Callable[[Path, float], AnsweringResult],
) -> None:
    import time

    from kofinlaw.files import read_jsonl
    from kofinlaw.rag.answer.repeats import repeat
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.records import Key

    labels = {row.id: row.answer for row in read_jsonl(key, Key)} if key is not None else None
    result = repeat(
        lambda folder: answer_into(folder, time.monotonic()),
        read_questions(questions).questions,
        out,
        runs,
        labels=labels,
    )
    for line in result.lines():
        say(line)


def process_started() -> float:
    """Return when this process started, on the monotonic clock in seconds:
    the start of the budget.
    """
    import os
    import time

    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        # Seconds since boot; unlike the monotonic clock they include the time in sleep.
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError, AttributeError):
        return time.monotonic() - time.process_time()
