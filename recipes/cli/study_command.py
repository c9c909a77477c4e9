"""Define the command `study`: compare retrievers and models on the same questions."""

from __future__ import annotations

from kofinlaw.recipes.cli.binding import bind_recipe
from kofinlaw.recipes.cli.console import say
from kofinlaw.recipes.cli.options import (
    DEFAULT_RUNS,
    Again,
    Overrides,
    RecipeName,
    ResumeMode,
    Runs,
    Trust,
    check_resume,
)

__all__ = ["study"]


def study(
    recipe: RecipeName = "retriever-study",
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    again: Again = None,
    trust: Trust = False,
) -> None:
    """Answer the same questions with every retriever and model; print a table and conclusions."""
    from kofinlaw.recipes.pipeline.execution import execute_stages
    from kofinlaw.recipes.studies.study import study_stages

    bound = bind_recipe(recipe, overrides, runs)
    mode = check_resume(resume)
    say(f"{bound.recipe.name}: {bound.recipe.description}")
    execute_stages(
        bound,
        mode,
        stages=study_stages(bound, mode),
        again=again or (),
        trust=trust,
        say=lambda line: say(f"  {line}"),
    )
    say("")
    say((bound.folder / "study" / "study.md").read_text(encoding="utf-8"))
    say(f"page: {bound.folder / 'study' / 'study.html'}")
