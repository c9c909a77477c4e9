"""Find the run that a command works on, and tell the libraries if it is offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["bind_recipe", "bound_run"]


def bind_recipe(recipe: str, overrides: list[str] | None, runs: Path) -> Run:
    """Load a recipe with its overrides and bind it to its folder under `runs`.

    Raises UserError if the recipe does not exist or has mistakes.
    """
    from kofinlaw.recipes.pipeline.run import bind
    from kofinlaw.recipes.pipeline.schema import load_recipe

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
        typer.echo(f"run: {folder}", err=True)
    return _prepared(reopen(folder))


def _prepared(run: Run) -> Run:
    # The libraries read these variables when they are imported, so they are set before that.
    from kofinlaw.offline import set_environment

    if run.recipe.offline:
        set_environment()
    return run
