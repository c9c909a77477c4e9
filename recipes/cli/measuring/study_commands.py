"""Define the commands `sweep` (a recipe with every combination of some values) and `study`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bind_recipe
from kofinlaw.recipes.cli.console import command_line, say, say_next
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

__all__ = ["compare_hint", "study", "sweep"]


def sweep(
    recipe: RecipeName,
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over",
            help="KEY=a,b,c, or KEY,KEY=a:x,b:y for keys that change together (repeatable: all "
            "combinations). Default: the recipe's sweep.over.",
        ),
    ] = None,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    trust: Trust = False,
    until: Annotated[str | None, typer.Option(help="Stop each point after this stage.")] = None,
) -> None:
    """Run a recipe for every combination of some key values; write a table, plots, conclusions."""
    from kofinlaw.recipes.pipeline.run import Run, bind
    from kofinlaw.recipes.pipeline.schema import load_recipe
    from kofinlaw.recipes.studies.sweep import (
        Failure,
        Point,
        execute_in_child,
        grid,
        missing_before_training,
        point_name,
        run_points,
    )
    from kofinlaw.recipes.studies.sweep_figures import read_point
    from kofinlaw.recipes.studies.sweep_page import write_sweep

    check_resume(resume)
    given = list(overrides or ())
    loaded, _ = load_recipe(recipe, given)
    axes = list(over or loaded.sweep.over)
    if not axes:
        raise UserError(
            "there is no key to sweep over",
            where=recipe,
            remedy="for example --over train.lora.rank=8,16,32, or `sweep.over` in the recipe",
        )
    points = grid(axes)
    stop = until or loaded.sweep.until
    folder = (runs / f"{loaded.name}-sweep").resolve()
    say(f"{loaded.name}: {len(points)} points, each a separate run, in {folder}")

    def values(point: Point) -> list[str]:
        return [*given, *(f"{key}={value}" for key, value in point)]

    def bound(point: Point) -> Run:
        settled, recipe_file = load_recipe(recipe, values(point))
        return replace(bind(settled, recipe_file, runs), folder=folder / point_name(point))

    def execute(run: Run, point: Point) -> None:
        arguments = ["run", recipe, "--folder", str(run.folder), *(["--trust"] if trust else [])]
        for value in values(point):
            arguments += ["--set", value]
        first, then = _modes(resume)
        last = missing_before_training(run)
        if last is not None:
            # A separate process, so that its memory does not count in the point's training.
            execute_in_child([*arguments, "--resume", first, "--until", last])
        mode = first if last is None else then
        execute_in_child([*arguments, "--resume", mode, *(["--until", stop] if stop else [])])

    done, failures = run_points(points, bound, execute, say)
    figures = []
    for point, where in done:
        try:
            figures.append(read_point(point, where))
        except UserError as error:
            failures.append(Failure(point, str(error)))
    say("")
    for line in write_sweep(folder, loaded.name, figures, failures):
        say(line)
    say(f"\npage: {folder / 'sweep.html'}")
    if hint := compare_hint([where for _, where in done]):
        say_next(*hint)
    if failures:
        raise typer.Exit(1)


def _modes(resume: str) -> tuple[str, str]:
    """Return the resume modes of a point's stages before training and of the rest.

    After `never` the first part is new, and the rest must not make it again.
    """
    return resume, "if-possible" if resume == "never" else resume


def compare_hint(runs: Sequence[Path]) -> list[str]:
    """Return the command that compares the runs with scores;
    empty if fewer than two have scores.
    """
    scored = [str(run) for run in runs if (run / "score" / "scores.json").is_file()]
    if len(scored) < 2:
        return []
    return [command_line("compare", *scored, comment="with paired tests")]


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
