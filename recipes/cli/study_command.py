"""The command `study`: retrievers and models side by side."""

from __future__ import annotations

from pathlib import Path

from kofinlaw.recipes.cli.app import (
    Overrides,
    RecipeName,
    ResumeMode,
    Runs,
    app,
    check_resume,
    say,
    say_next,
)


@app.command()
def study(
    recipe: RecipeName = "retriever-study",
    overrides: Overrides = None,
    runs: Runs = Path("runs"),
    resume: ResumeMode = "if-possible",
) -> None:
    """Answer the same questions with every retriever and model; table and conclusion by goal."""
    from kofinlaw.recipes.cli.recipe_commands import bind_recipe, execute
    from kofinlaw.recipes.studies.study import study_stages

    bound = bind_recipe(recipe, overrides, runs)
    say(f"{bound.recipe.name}: {bound.recipe.description}")
    execute(bound, resume, stages=study_stages(bound, check_resume(resume)))
    say("")
    say((bound.folder / "study" / "study.md").read_text(encoding="utf-8"))
    say_next(f"open {bound.folder / 'study' / 'study.html'}")
