"""Define the command `prefer`: train the run's adapter on pairs of answers (DPO)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import Progress, UserError
from kofinlaw.recipes.cli.binding import bind_recipe
from kofinlaw.recipes.cli.console import command_line, say, say_next, short_path
from kofinlaw.recipes.cli.options import (
    DEFAULT_RUNS,
    Overrides,
    RecipeName,
    ResumeMode,
    Runs,
    Trust,
    check_resume,
    same_run,
)

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.trainer.preference import PreferenceResult
    from kofinlaw.trainer.preference_settings import PreferenceSettings

__all__ = ["prefer", "prefer_stage", "tune"]


def prefer(
    recipe: RecipeName,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            help="JSON Lines: id, messages, chosen, rejected; default: those of the run's augment.",
        ),
    ] = None,
    beta: Annotated[
        float, typer.Option(help="DPO's beta: higher keeps the model closer to its start.")
    ] = 0.1,
    loss: Annotated[
        str, typer.Option(help="TRL's loss: sigmoid (the loss of DPO), ipo, hinge …")
    ] = "sigmoid",
    pairs_per_pass: Annotated[int, typer.Option(help="Pairs in one forward pass.")] = 1,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    trust: Trust = False,
) -> None:
    """Train on pairs of answers (DPO), from the recipe's train.start_from or a new adapter."""
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.integrity.checks import require_path
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.ready_examples import check_training_file
    from kofinlaw.recipes.pipeline.run import protected_examples
    from kofinlaw.recipes.pipeline.runner import run_stages

    mode = check_resume(resume)
    preference = _preference(beta=beta, loss=loss, pairs_per_pass=pairs_per_pass)
    bound = bind_recipe(recipe, overrides, runs)
    check_policy(bound.recipe)
    pairs = pairs or _pairs_of(bound.folder, recipe, same_run(overrides, runs))
    require_path(pairs, trust=trust, say=say)
    check_training_file(pairs, protected_examples(bound))
    stage = prefer_stage(bound, pairs, preference)
    offline = guard(offline=bound.recipe.offline)
    with run_lock(bound.folder, say), offline:
        (outcome,) = run_stages(
            [stage], bound.folder, resume=mode, trust=trust, say=lambda line: say(f"  {line}")
        )
    for name, value in outcome.record["counts"].items():
        say(f"  {name}: {value}")
    out = bound.folder / stage.name
    adapter, merged = short_path(out / "adapter"), short_path(out.with_name("prefer-model"))
    say_next(command_line("merge", adapter, "--out", merged))


def prefer_stage(bound: Run, pairs: Path, preference: PreferenceSettings) -> Stage:
    """Return preference tuning as a stage: finished work is kept as long as nothing changed."""
    from kofinlaw.recipes.pipeline.code_hash import with_imported_packages
    from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage

    recipe = bound.recipe
    base = bound.recipe_file.path.parent
    start = recipe.train.starting_below(base).start_from
    return Stage(
        "prefer",
        partial(tune, bound, pairs, preference),
        settings={
            "train": recipe.train.model_dump(mode="json", exclude={"resume_elsewhere"}),
            "preference": preference.model_dump(mode="json"),
            "model": recipe.model.model_dump(mode="json"),
            "seed": recipe.seed,
        },
        inputs=(pairs, *([start] if start is not None else [])),
        packages=with_imported_packages("models", "trainer"),
        modules=("kofinlaw.recipes.pipeline.run", "kofinlaw.recipes.cli.prefer_command"),
    )


def tune(
    bound: Run, pairs: Path, preference: PreferenceSettings, out: Path, progress: Progress
) -> PreferenceResult:
    """Tune the adapter of a run on pairs of answers and write it into `out`."""
    from kofinlaw.files import write_json
    from kofinlaw.models.templates import template_for
    from kofinlaw.recipes.pipeline.run import model_folder

    # It loads torch and reads the variables that `bind_recipe` sets.
    from kofinlaw.trainer.preference import train_preferences

    base = model_folder(bound)
    result = train_preferences(
        bound.recipe.train,
        preference,
        base,
        pairs,
        out,
        template=template_for(base),
        seed=bound.recipe.seed,
        model_id=bound.recipe.model.id,
        base=bound.recipe_file.path.parent,
        progress=progress,
    )
    write_json(out / "preference.json", result.to_record())
    return result


def _pairs_of(run: Path, recipe: str, options: Sequence[str]) -> Path:
    """Return the pairs of the run's stage `augment`. Raises UserError if it wrote none."""
    path = run / "augment" / "preferences.jsonl"
    if not path.is_file():
        raise UserError(
            "this run has no preference pairs",
            where=str(path),
            remedy=f"write them with `{command_line('augment', recipe, *options)}`, or name a file "
            "with --pairs",
        )
    return path


def _preference(*, beta: float, loss: str, pairs_per_pass: int) -> PreferenceSettings:
    """Return the options as settings. Raises UserError for the first option that is not valid."""
    from pydantic import ValidationError

    from kofinlaw.trainer.preference_settings import PreferenceSettings

    values = {"beta": beta, "loss": loss, "pairs_per_pass": pairs_per_pass}
    try:
        return PreferenceSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise UserError(first["msg"], where=f"--{option}") from error
