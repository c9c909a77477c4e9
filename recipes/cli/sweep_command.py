"""The command `sweep`: a recipe at every point of a grid of its keys."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kofinlaw import UserError
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
def sweep(
    recipe: RecipeName,
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over",
            help="KEY=a,b,c, or KEY,KEY=a:x,b:y for keys that move together (repeatable: a grid). "
            "Default: the recipe's sweep.over.",
        ),
    ] = None,
    overrides: Overrides = None,
    runs: Runs = Path("runs"),
    resume: ResumeMode = "if-possible",
    until: Annotated[str | None, typer.Option(help="Stop each point after this stage.")] = None,
) -> None:
    """Run a recipe at every point of a grid of its keys; table, plots and a conclusion by goal."""
    from kofinlaw.recipes.pipeline.run import Run, bind
    from kofinlaw.recipes.pipeline.schema import load_recipe
    from kofinlaw.recipes.studies.sweep import (
        Failure,
        Point,
        execute_in_child,
        grid,
        point_name,
        run_points,
        unmade,
    )
    from kofinlaw.recipes.studies.sweep_figures import read_point
    from kofinlaw.recipes.studies.sweep_page import write_sweep

    check_resume(resume)
    given = list(overrides or ())
    loaded, _ = load_recipe(recipe, given)
    axes = list(over or loaded.sweep.over)
    if not axes:
        raise UserError(
            "nothing to sweep over",
            where=recipe,
            remedy="for example --over train.lora.rank=8,16,32, or `sweep.over` in the recipe",
        )
    points = grid(axes)
    stop = until or loaded.sweep.until
    folder = (runs / f"{loaded.name}-sweep").resolve()
    say(f"{loaded.name}: {len(points)} points, each a run of its own, in {folder}")

    def values(point: Point) -> list[str]:
        return [*given, *(f"{key}={value}" for key, value in point)]

    def bound(point: Point) -> Run:
        settled, recipe_file = load_recipe(recipe, values(point))
        return replace(bind(settled, recipe_file, runs), folder=folder / point_name(point))

    def execute(run: Run, point: Point) -> None:
        arguments = ["run", recipe, "--folder", str(run.folder)]
        for value in values(point):
            arguments += ["--set", value]
        mode = resume
        making = unmade(run)
        if making is not None:
            # In a process of its own, so that no point's training is charged for their memory.
            execute_in_child([*arguments, "--resume", mode, "--until", making])
            mode = "if-possible"
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
    say_next(f"open {folder / 'sweep.html'}", *compare_hint([where for _, where in done]))
    if failures:
        raise typer.Exit(1)


def compare_hint(runs: Sequence[Path]) -> list[str]:
    """The command that compares those of the runs that have scores; none for fewer than two."""
    scored = [str(run) for run in runs if (run / "score" / "scores.json").is_file()]
    if len(scored) < 2:
        return []
    return [f"{shlex.join(['kofinlaw', 'compare', *scored])}   with paired tests"]
