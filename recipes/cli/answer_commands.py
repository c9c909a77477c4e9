"""Define the commands that answer questions with a run's model: ask and answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import (
    command_line,
    print_json,
    say,
    say_next,
    say_styled,
    short_path,
)
from kofinlaw.recipes.cli.options import AsJson, RunFolder, Trust
from kofinlaw.texts import terminal_text

if TYPE_CHECKING:
    from kofinlaw.models.engines.base import Engine
    from kofinlaw.models.templates import ChatTemplate
    from kofinlaw.rag.answer.answer_book import AnsweringResult
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["answer", "ask", "process_started"]


def ask(
    question: Annotated[
        str | None,
        typer.Argument(
            help="질문. Options may follow on their own lines. "
            "Without a question: a session that takes one a line, also from a pipe."
        ),
    ] = None,
    run: RunFolder = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Only law in force on this day: 2026-01-01.")
    ] = None,
    as_json: AsJson = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show scores, retrievers and passages not read.")
    ] = False,
    trust: Trust = False,
) -> None:
    """Answer questions from a run's index and show the evidence."""
    from kofinlaw.recipes.asking.answer_lines import answer_lines, terminal_style
    from kofinlaw.recipes.asking.days import typed_day
    from kofinlaw.recipes.asking.loading import loading
    from kofinlaw.recipes.asking.session import Session, TerminalLines, piped_lines

    if question is not None and not question.strip():
        raise UserError(
            "the question is empty",
            where="QUESTION",
            remedy="write a question, or leave it out to start a session",
        )
    day = typed_day(as_of) if as_of is not None else None
    typed = sys.stdin.isatty()
    lines = None
    if question is None:
        lines = TerminalLines() if typed else piped_lines()

    import dataclasses

    from kofinlaw.recipes.api import open_run
    from kofinlaw.recipes.pipeline.evaluation.serving_notes import serving_notes

    bound = bound_run(run)
    for note in serving_notes(bound):
        typer.echo(terminal_text(note), err=True)
    style = terminal_style(debug=debug)
    with open_run(bound.folder, trust=trust) as opened:
        with loading(f"the model {bound.recipe.model.id}"):
            opened.load()
        if lines is not None:
            session = Session(
                ask=lambda text, on: opened.ask(text, as_of=on),
                say=say_styled,
                note=lambda text: typer.echo(terminal_text(text), err=True),
                style=style,
                interactive=typed,
                as_json=as_json,
                day=day,
            )
            if typed:
                session.note(":help lists the commands; an empty line leaves")
            session.run(lines)
            if session.failed and not typed:
                raise typer.Exit(1)
            return
        result = opened.ask(question or "", as_of=day)
    if as_json:
        print_json(dataclasses.asdict(result))
        return
    for line in answer_lines(result, style):
        say_styled(line)


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
    trust: Trust = False,
) -> None:
    """Answer a question file before the deadline; the submission file is always complete."""
    from kofinlaw.offline import guard
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.recipes.pipeline.evaluation.first_submission import write_first_submission
    from kofinlaw.recipes.pipeline.evaluation.leaving import leaving
    from kofinlaw.recipes.pipeline.lock import run_lock

    started = process_started()
    bound = bound_run(run)
    recipe = bound.recipe
    out = out or bound.folder / "answers" / questions.stem
    with (
        guard(offline=recipe.offline),
        run_lock(out, lambda line: say(f"  {line}"), option="--out DIR"),
        ExitStack() as until_answered,
    ):
        one = runs == 1 and replay_plan is None and not check_budget
        if one:  # before anything heavy is imported, and before the index is read
            write_first_submission(questions, out, sample=recipe.answer.sample_submission)
            over = f"the time is over; the submission is complete: {short_path(out)}/submission.csv"
            minutes = recipe.answer.budget_minutes if budget_minutes is None else budget_minutes
            left = _seconds_left(out, minutes, started)
            until_answered.enter_context(leaving.at_deadline(left, over))
        for line in read_questions(questions).doubt_lines():
            say(f"  {line}")
        if check_budget:
            _check_budget(questions, recipe.seed, _Answering.load(bound, budget_minutes, trust))
            return

        from kofinlaw.models.identity import model_fingerprint
        from kofinlaw.rag.answer.answer_file import answer_questions
        from kofinlaw.rag.answer.run_context import RunContext
        from kofinlaw.rag.questions.question_csv import converted_form
        from kofinlaw.recipes.pipeline.progress_display import stage_progress
        from kofinlaw.recipes.pipeline.run import serving_folder
        from kofinlaw.trace_files import open_tracer

        with stage_progress("answer") as progress:

            def answer_into(folder: Path, started: float) -> AnsweringResult:
                parts = _Answering.load(bound, budget_minutes, trust)
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
            leaving.at_once = True
    say(f"{result.questions} answers, {result.fallback} of them fallback answers without the model")
    if refused := result.events.get("abstained"):
        say(f"{refused} free-text questions refused (answer.abstain): the documents do not bear on "
            "them")  # fmt: skip
    changed = result.events.get("question_file_changed")
    if changed:
        say(f"{questions} changed during the run: the answers are to its content at the start")
    say(f"submission: {short_path(out / 'submission.csv')}")
    form = "" if changed else converted_form(questions)
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
    def load(cls, bound: Run, budget_minutes: float | None, trust: bool) -> _Answering:
        """Open the run's index; the engine is opened by the caller, when it is needed.

        Both check before that their stage's files are unchanged, unless `trust`. The model's come
        after the first submission, since they may take seconds to read.
        """
        from kofinlaw.models.engines.factory import open_engine
        from kofinlaw.models.templates import template_for
        from kofinlaw.rag.index.index import Index
        from kofinlaw.rag.retrieve.retriever import Retriever
        from kofinlaw.recipes.pipeline.fitting.voter_fitting import serving_settings
        from kofinlaw.recipes.pipeline.integrity.checks import require_stages
        from kofinlaw.recipes.pipeline.run import serving_folder

        require_stages(bound.folder, ["index"], trust=trust, say=say)
        recipe = bound.recipe
        settings = serving_settings(bound)
        if budget_minutes is not None:
            settings = settings.model_copy(update={"budget_minutes": budget_minutes})
        folder = serving_folder(bound)

        def checked_engine() -> Engine:
            require_stages(bound.folder, ["merge"], trust=trust, say=say)
            return open_engine(settings.engine, folder, seed=recipe.seed)

        return cls(
            open_engine=checked_engine,
            template=template_for(folder),
            retriever=Retriever(Index.load(bound.folder / "index"), recipe.rag, cache=bound.cache),
            settings=settings,
        )


def _seconds_left(out: Path, minutes: float | None, started: float) -> float | None:
    """Return the seconds until the deadline, counting those that earlier starts used."""
    import time

    from kofinlaw.tolerant_files import finite_number, read_json

    if minutes is None:
        return None
    used = finite_number((read_json(out / "clock.json") or {}).get("seconds_used")) or 0.0
    return 60 * minutes - used - (time.monotonic() - started)


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

    from kofinlaw.rag.answer.repeats import repeat
    from kofinlaw.rag.questions.key_files import read_keys
    from kofinlaw.rag.questions.question_files import read_questions

    asked = read_questions(questions).questions
    labels = {row.id: row.answer for row in read_keys(key, asked)} if key is not None else None
    result = repeat(
        lambda folder: answer_into(folder, time.monotonic()),
        asked,
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
