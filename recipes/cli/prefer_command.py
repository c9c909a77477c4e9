"""The command `prefer`: tune the run's adapter on pairs of answers (DPO)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.app import Overrides, RecipeName, Runs, app, say, say_next

if TYPE_CHECKING:
    from kofinlaw.trainer.preference_settings import PreferenceSettings


@app.command()
def prefer(
    recipe: RecipeName,
    pairs: Annotated[
        Path,
        typer.Option("--pairs", help="JSON Lines: id, messages, chosen, rejected."),
    ],
    beta: Annotated[float, typer.Option(help="How strongly the start holds the model.")] = 0.1,
    loss: Annotated[
        str, typer.Option(help="TRL's loss: sigmoid (DPO's), ipo, hinge …")
    ] = "sigmoid",
    pairs_per_pass: Annotated[int, typer.Option(help="Pairs in one forward pass.")] = 1,
    overrides: Overrides = None,
    runs: Runs = Path("runs"),
) -> None:
    """Tune on pairs of answers (DPO), from the recipe's train.start_from or a fresh adapter."""
    from kofinlaw.files import write_json
    from kofinlaw.models.templates import template_for
    from kofinlaw.offline import guard
    from kofinlaw.recipes.cli.recipe_commands import bind_recipe
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.recipes.pipeline.run import model_folder
    from kofinlaw.trainer.preference import train_preferences

    preference = _preference(beta=beta, loss=loss, pairs_per_pass=pairs_per_pass)
    bound = bind_recipe(recipe, overrides, runs)
    check_policy(bound.recipe)
    out = bound.folder / "prefer"
    out.mkdir(parents=True, exist_ok=True)
    offline = guard(offline=bound.recipe.offline)
    with run_lock(bound.folder, say), offline, stage_progress("prefer") as progress:
        base = model_folder(bound)
        counts = train_preferences(
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
    write_json(out / "preference.json", counts)
    for name, value in counts.items():
        say(f"  {name}: {value}")
    say_next(f"kofinlaw merge {out / 'adapter'} --out MERGED")


def _preference(**options: Any) -> PreferenceSettings:
    """The options as settings; raises UserError for the first that does not fit."""
    from pydantic import ValidationError

    from kofinlaw.trainer.preference_settings import PreferenceSettings

    try:
        return PreferenceSettings(**options)
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise UserError(first["msg"], where=f"--{option}") from error
