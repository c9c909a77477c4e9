"""Find the run that a command works on, and tell the libraries if it is offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kofinlaw import UserError
from kofinlaw.texts import terminal_text

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["bind_recipe", "bound_run", "output_folder", "run_of"]


def bind_recipe(recipe: str, overrides: list[str] | None, runs: Path) -> Run:
    """Load a recipe with its overrides and bind it to its folder under `runs`.

    Raises UserError if the recipe does not exist or has mistakes, or if `runs` is a file.
    """
    from kofinlaw.recipes.pipeline.run import bind
    from kofinlaw.recipes.pipeline.schema import load_recipe

    for one in (runs, *runs.parents):
        if one.exists() and not one.is_dir():
            raise UserError(
                "a file lies where the run's folder would be",
                where=str(one),
                remedy="choose another folder with --runs DIR",
            )
    return _prepared(bind(*load_recipe(recipe, overrides or ()), runs))


def bound_run(folder: Path | None) -> Run:
    """Return the run in `folder`, bound to the resolved recipe that it keeps.

    None is the newest run with an index; standard error then shows which one it is. Raises
    UserError if there is no run.
    """
    from kofinlaw.recipes.api import newest_run
    from kofinlaw.recipes.pipeline.run import reopen

    if folder is None:
        folder = newest_run()
        typer.echo(terminal_text(f"run: {folder}"), err=True)
    return _prepared(reopen(folder))


def run_of(path: Path) -> Path | None:
    """Return the folder of the run that a file or folder lies in, or is; None if it is in none."""
    whole = path.resolve()
    return next((one for one in (whole, *whole.parents) if (one / "recipe.yaml").is_file()), None)


def output_folder(path: Path, command: str) -> Path:
    """Return where a command writes what it finds out about `path`, if the user names no folder.

    That is `RUN/COMMAND/<name of path>` for a file or folder of a run, else `<path>-COMMAND` next
    to it.
    """
    run, whole = run_of(path), path.resolve()
    name = whole.stem if whole.is_file() else whole.name
    if run is None or run == whole:
        return whole.with_name(f"{name}-{command}")
    return run / command / name


def _prepared(run: Run) -> Run:
    # The libraries read these variables when they are imported, so they are set before that.
    from kofinlaw.offline import set_environment

    if run.recipe.offline:
        set_environment()
    return run
