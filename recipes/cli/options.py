"""Define the options that several commands share; typer is the heaviest import here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from kofinlaw import UserError

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.runner import Resume

__all__ = [
    "DEFAULT_RUNS",
    "RESUME_MODES",
    "Again",
    "AsJson",
    "Card",
    "DefaultCommand",
    "Overrides",
    "RecipeName",
    "ResumeMode",
    "RunFolder",
    "Runs",
    "Trust",
    "check_resume",
    "same_run",
]

DEFAULT_RUNS = Path("runs")
RESUME_MODES: dict[str, Resume] = {
    "never": "never",
    "always": "always",
    "if-possible": "if-possible",
}

RecipeName = Annotated[str, typer.Argument(help="A recipe file, or the name of a shipped recipe.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key: --set train.max_steps=20 (repeatable)."),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the runs.")]
RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="A run's folder; default: the newest under runs/ with an index."),
]
ResumeMode = Annotated[
    str,
    typer.Option(
        "--resume",
        help="never: start again. always: continue, or fail if settings, inputs or code changed. "
        "if-possible: continue if nothing changed, else start again.",
    ),
]
Card = Annotated[
    str | None,
    typer.Option(
        "--card",
        help="Plan for a card of this many GiB (24), or for the processor (none, cpu); default: "
        "this machine.",
    ),
]
Again = Annotated[
    list[str] | None,
    typer.Option("--again", help="Start this stage again, also if it is done (repeatable)."),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust", help="Use the files of finished stages without checking that they are unchanged."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class DefaultCommand(TyperGroup):
    """A command group that runs its first command if the next word names none: `data RECIPE`."""

    # Any: click's types have no public name here, since newer releases of typer contain click.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Insert the default command's name before arguments that name no command."""
        if args and args[0] not in self.commands:
            args = [next(iter(self.commands)), *args]
        return super().resolve_command(ctx, args)


def check_resume(value: str) -> Resume:
    """Return `value` as a resume mode. Raises UserError if it is not one of the three."""
    mode = RESUME_MODES.get(value)
    if mode is None:
        raise UserError(
            f"unknown resume mode {value!r}",
            where="--resume",
            remedy="use never, always or if-possible",
        )
    return mode


def same_run(overrides: list[str] | None, runs: Path, folder: Path | None = None) -> list[str]:
    """Return the options with which a next command reads the same recipe values and the same run:
    `--set`, and `--runs` or `--folder` if the user gave them.
    """
    options = [word for value in overrides or () for word in ("--set", value)]
    if runs != DEFAULT_RUNS:
        options += ["--runs", str(runs)]
    return options if folder is None else [*options, "--folder", str(folder)]
