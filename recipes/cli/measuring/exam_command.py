"""Define the command `exam`: measure a model on an exam next to trivial solvers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import Progress, UserError
from kofinlaw.recipes.cli.binding import bind_recipe, bound_run
from kofinlaw.recipes.cli.console import say, short_path
from kofinlaw.recipes.cli.options import DEFAULT_RUNS, Overrides, RunFolder, Runs, Trust

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["exam", "measure_exam"]


def exam(
    file: Annotated[
        Path, typer.Argument(help="CSV with question, answer, A-D; JSON Lines, JSON or Parquet.")
    ],
    run: RunFolder = None,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", help="A recipe instead of a run: its model and settings."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="A checkpoint; default: the run's merged model, else base."),
    ] = None,
    index: Annotated[
        Path | None, typer.Option("--index", help="An index; default: the run's, if it has one.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Key records, if the exam has no answers.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the answers; default: RUN/exam/<file name>."),
    ] = None,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    trust: Trust = False,
) -> None:
    """Measure a model on an exam next to trivial solvers; nothing is trained."""
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.integrity.checks import require_path
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    bound = bind_recipe(recipe, overrides, runs) if recipe is not None else bound_run(run)
    if recipe is None and overrides:
        raise UserError(
            "a finished run keeps its settings",
            where="--set",
            remedy="name the recipe: --recipe RECIPE --set KEY=VALUE",
        )
    out = out or bound.folder / "exam" / file.stem
    searched = index or (bound.folder / "index" if (bound.folder / "index").is_dir() else None)
    for used in (searched, model or bound.folder / "merge"):
        if used is not None:
            require_path(used, trust=trust, say=say)
    lock = run_lock(out, lambda line: say(f"  {line}"), option="--out DIR")
    with guard(offline=bound.recipe.offline), lock, stage_progress("exam") as progress:
        page = measure_exam(bound, file, key, out, model, searched, progress)
    say(page)
    say(f"figures: {short_path(out / 'exams.json')}")


def measure_exam(
    run: Run,
    file: Path,
    key: Path | None,
    out: Path,
    model: Path | None,
    index: Path | None,
    progress: Progress,
) -> str:
    """Answer an exam as `model`, and with an index as `model-rag`; return the scores as Markdown.

    A measurement that was interrupted continues in the same folder.

    Args:
        run: The recipe whose settings are used.
        file: The exam.
        key: Its Key records, if the exam has no answers.
        out: Folder for questions, answers and scores.
        model: The weights; None: the run's merged model, else its base model.
        index: The index to search; None: only without evidence.
        progress: Called with the questions done.
    """
    from kofinlaw.files import write_json, write_jsonl, write_text
    from kofinlaw.rag.questions.exam_files import read_exam
    from kofinlaw.rag.questions.question_files import doubt_lines
    from kofinlaw.recipes.pipeline.evaluation.answering import answer_with
    from kofinlaw.recipes.pipeline.fitting.voter_fitting import serving_settings
    from kofinlaw.recipes.pipeline.run import serving_folder
    from kofinlaw.scoring.exams.exam_figures import exams_record
    from kofinlaw.scoring.exams.exam_table import exams_markdown
    from kofinlaw.scoring.exams.rate_exam import rate_exam

    found = read_exam(file, key)
    for line in doubt_lines(file, found.doubts, len(found.questions)):
        say(f"  {line}")
    questions = out / "questions.jsonl"
    write_jsonl(questions, found.questions)
    settings = serving_settings(run) if model is None else run.recipe.answer
    settings = settings.model_copy(update={"budget_minutes": None})
    folders = {"model": out / "model", "model-rag": out / "model-rag"}
    if index is None:
        del folders["model-rag"]
    for name, folder in folders.items():
        answer_with(
            run,
            model or serving_folder(run),
            index if name == "model-rag" else None,
            questions,
            folder,
            settings,
            progress,
        )
    rated = rate_exam(file.stem, found.questions, found.keys, folders)
    record = exams_record([rated], run.recipe.score, run.recipe.seed)
    page = exams_markdown(record)
    write_json(out / "exams.json", record)
    write_text(out / "exams.md", page)
    return page
