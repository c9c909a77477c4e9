"""The commands that ask a run's model: ask, answer; and what they share with others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.app import AsJson, app, print_json, say, say_next
from kofinlaw.units import GIB

if TYPE_CHECKING:
    from kofinlaw.rag.answer.result import AnsweringResult

RunFolder = Annotated[
    Path | None, typer.Option("--run", help="A run's folder; default: the newest under runs/.")
]


def open_run(folder: Path | None) -> Any:
    """The run in `folder`, or the newest run under `runs/`, from its resolved recipe.

    Raises UserError where there is none.
    """
    from kofinlaw.offline import set_environment
    from kofinlaw.recipes.pipeline.run import reopen

    if folder is None:
        found = sorted(Path("runs").glob("*/recipe.yaml"), key=lambda p: p.stat().st_mtime)
        if not found:
            raise UserError(
                "there is no run yet", where="runs/", remedy="kofinlaw run quickstart makes one"
            )
        folder = found[-1].parent
    run = reopen(folder)
    if run.recipe.offline:
        set_environment()
    return run


def _serving_folder(bound: Any) -> Path:
    """The run's merged model, else the base."""
    from kofinlaw.recipes.pipeline.run import model_folder

    merged = bound.folder / "merge" / "model"
    return merged if merged.is_dir() else model_folder(bound)


def _traced(bound: Any, folder: Path) -> Any:
    """The recipe's tracer; its lines go to `folder`."""
    from kofinlaw.trace_files import open_tracer

    return open_tracer(bound.recipe.trace, folder, offline=bound.recipe.offline)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="질문. Options may follow on their own lines.")],
    run: RunFolder = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Only law in force on this day."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer one question from a run's index, with its evidence."""
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.templates import template_for
    from kofinlaw.offline import guard
    from kofinlaw.rag.answer.single_question import ask_question
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever

    bound = open_run(run)
    if not (bound.folder / "index").is_dir():
        raise UserError(
            "this run has no index", where=str(bound.folder), remedy="kofinlaw index RECIPE"
        )
    folder = _serving_folder(bound)
    settings = bound.recipe.answer
    with guard(offline=bound.recipe.offline), _traced(bound, bound.folder / "ask") as tracer:
        retriever = Retriever(
            Index.load(bound.folder / "index"), bound.recipe.rag, cache=bound.cache
        )
        with (
            open_engine(settings.engine, folder, seed=bound.recipe.seed) as engine,
            tracer.span("ask", model=bound.recipe.model.id, query=question) as span,
        ):
            result = ask_question(
                question,
                engine=engine,
                template=template_for(folder),
                retriever=retriever,
                settings=settings,
                seed=bound.recipe.seed,
                as_of=as_of.date() if as_of else None,
            )
            span.set(answer=result.answer, documents=[hit.text for hit in result.evidence])
    if as_json:
        import dataclasses

        print_json(dataclasses.asdict(result))
        return
    say(f"\n{result.answer}\n")
    for act in result.absent:
        say(f"「{act.title}」: 그날 시행 중인 조문이 없습니다 (말뭉치의 첫 시행일 {act.first})")
    say("근거" if result.evidence else "근거 없음")
    for hit in result.evidence:
        version = f" ({hit.version})" if hit.version else ""
        say(f"  · {hit.unit}{version}  ({hit.score:.2f}, {hit.by})")
        body = " ".join(hit.text.split())
        say(f"    {body[:160]}{'…' if len(body) > 160 else ''}")


@app.command()
def answer(
    questions: Annotated[Path, typer.Argument(help="ID,Question CSV, or JSON Lines.")],
    run: RunFolder = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for answers and submission.")] = Path(
        "answers"
    ),
    budget_minutes: Annotated[
        float | None, typer.Option(help="Minutes in all, loading included.")
    ] = None,
    check_budget: Annotated[
        bool,
        typer.Option("--check-budget", help="Time a sample; exit 1 if the whole will not fit."),
    ] = False,
    runs: Annotated[
        int, typer.Option(help="Answer so many times, as the organiser does; mean and spread.")
    ] = 1,
    key: Annotated[
        Path | None, typer.Option("--key", help="With --runs: JSON Lines of keys, for accuracy.")
    ] = None,
    replay_plan: Annotated[
        Path | None,
        typer.Option("--replay-plan", help="plan.jsonl of an earlier run to follow exactly."),
    ] = None,
) -> None:
    """Answer a file of questions before the deadline; the submission is whole at every moment."""
    from kofinlaw.models.identity import model_fingerprint
    from kofinlaw.offline import guard
    from kofinlaw.rag.answer.answer_file import answer_questions
    from kofinlaw.rag.answer.run_context import RunContext
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress import stage_progress

    started = process_started()
    bound = open_run(run)
    gguf = bound.recipe.answer.engine.gguf
    with guard(offline=bound.recipe.offline), run_lock(out, lambda line: say(f"  {line}")):
        if check_budget:
            _check_budget(questions, bound.recipe.seed, _answering(bound, budget_minutes))
            return
        with stage_progress("answer") as progress:

            def answer_into(folder: Path, started: float) -> AnsweringResult:
                with _traced(bound, folder) as tracer:
                    return answer_questions(
                        questions,
                        folder,
                        replay=replay_plan,
                        model=model_fingerprint(_serving_folder(bound), gguf),
                        context=RunContext(
                            seed=bound.recipe.seed,
                            started=started,
                            tracer=tracer,
                            progress=progress,
                        ),
                        **_answering(bound, budget_minutes),
                    )

            if runs != 1:
                _repeat(questions, out, runs, key, answer_into)
                return
            result = answer_into(out, started)
    say(f"{result.questions} answers, {result.fallback} of them not the model's own")
    if result.events.get("question_file_changed"):
        say(f"{questions} changed meanwhile: these are the answers to what it held at the start")
    say(f"submission: {out / 'submission.csv'}")
    say_next(f"kofinlaw score {out} --key KEY.jsonl --questions {questions}")


def _answering(bound: Any, budget_minutes: float | None) -> dict[str, Any]:
    """What a run answers with: its merged model (else the base), template, index and settings."""
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever

    recipe = bound.recipe
    settings = recipe.answer
    if budget_minutes is not None:
        settings = settings.model_copy(update={"budget_minutes": budget_minutes})
    folder = _serving_folder(bound)
    return {
        "open_engine": lambda: open_engine(settings.engine, folder, seed=recipe.seed),
        "template": template_for(folder),
        "retriever": Retriever(Index.load(bound.folder / "index"), recipe.rag, cache=bound.cache),
        "settings": settings,
    }


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


def export_for_contest(merged: Path, run: Path | None, out: Path) -> None:
    """What `kofinlaw export --contest` does, with the run's index and settings."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.contest.folder import export_contest

    bound = open_run(run)
    counts = export_contest(
        merged,
        bound.folder / "data" / "chunks.jsonl",
        out,
        template=template_for(merged),
        rag=bound.recipe.rag,
        answer=bound.recipe.answer,
    )
    say(f"{counts.passages} passages and the model, {counts.bytes / GIB:.2f} GiB: {out}")
    say_next(f"python {out / 'answer.py'} --questions test.csv --out submission.csv")


def process_started() -> float:
    """When this process began, on the monotonic clock in seconds: the budget counts from there."""
    import os
    import time

    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        # Since boot, sleep included, which the monotonic clock leaves out.
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - began)
    except (OSError, ValueError, IndexError, AttributeError):
        return time.monotonic() - time.process_time()


def _check_budget(questions: Path, seed: int, given: dict[str, Any]) -> None:
    from kofinlaw.rag.answer.budget_check import check_budget
    from kofinlaw.rag.answer.run_context import RunContext

    result = check_budget(questions, **given, context=RunContext(seed=seed))
    for line in result.lines():
        say(line)
    if not result.fits:
        raise typer.Exit(1)
