"""Define the command `prefer`: train the run's adapter on pairs of answers (DPO)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bind_recipe
from kofinlaw.recipes.cli.console import command_line, say, say_next, short_path
from kofinlaw.recipes.cli.options import DEFAULT_RUNS, Overrides, RecipeName, Runs, same_run

if TYPE_CHECKING:
    from kofinlaw.trainer.preference_settings import PreferenceSettings

__all__ = ["prefer"]


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
) -> None:
    """Train on pairs of answers (DPO), from the recipe's train.start_from or a new adapter."""
    from kofinlaw.files import write_json
    from kofinlaw.models.templates import template_for
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.recipes.pipeline.ready_examples import check_training_file
    from kofinlaw.recipes.pipeline.run import model_folder, protected_examples

    preference = _preference(beta=beta, loss=loss, pairs_per_pass=pairs_per_pass)
    bound = bind_recipe(recipe, overrides, runs)
    check_policy(bound.recipe)
    pairs = pairs or _pairs_of(bound.folder, recipe, same_run(overrides, runs))
    check_training_file(pairs, protected_examples(bound))
    # Imported after the checks: it loads torch and reads the variables that bind_recipe sets.
    from kofinlaw.trainer.preference import train_preferences

    out = bound.folder / "prefer"
    out.mkdir(parents=True, exist_ok=True)
    offline = guard(offline=bound.recipe.offline)
    with run_lock(bound.folder, say), offline, stage_progress("prefer") as progress:
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
    counts = result.to_record()
    write_json(out / "preference.json", counts)
    for name, value in counts.items():
        say(f"  {name}: {value}")
    adapter, merged = short_path(out / "adapter"), short_path(out / "model")
    say_next(command_line("merge", adapter, "--out", merged))


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
