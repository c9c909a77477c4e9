"""Define the command `exam`: measure one model on an exam, with and without evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw.recipes.cli.binding import bind_recipe, bound_run
from kofinlaw.recipes.cli.console import say
from kofinlaw.recipes.cli.options import DEFAULT_RUNS, Overrides, RunFolder, Runs

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["exam"]


def exam(
    file: Annotated[Path, typer.Argument(help="CSV with question, answer, A-D; or JSON Lines.")],
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
    out: Annotated[Path, typer.Option("--out", help="Folder for answers and scores.")] = Path(
        "exam"
    ),
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Measure a model on an exam next to trivial solvers; nothing is trained."""
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.exam_runs import measure_exam
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    bound = bind_recipe(recipe, overrides, runs) if recipe is not None else bound_run(run)
    offline = guard(offline=bound.recipe.offline)
    with offline, run_lock(out, lambda line: say(f"  {line}")), stage_progress("exam") as progress:
        page = measure_exam(
            bound,
            file,
            out,
            key=key,
            model=model,
            index=index or _index_of(bound),
            progress=progress,
        )
    say(page)


def _index_of(bound: Run) -> Path | None:
    found = bound.folder / "index"
    return found if found.is_dir() else None
