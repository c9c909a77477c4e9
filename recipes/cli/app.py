"""The command line `kofinlaw`. Nothing heavier than typer is imported until a command needs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kofinlaw import UserError, __version__

INTERNAL_ERROR = 70
INTERRUPTED = 130


class DefaultCommand(TyperGroup):
    """A group whose first command is meant where the next word names none (`data RECIPE`)."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the default command's name before arguments that name no command."""
        if args and args[0] not in self.commands:
            args = [next(iter(self.commands)), *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="kofinlaw",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Build and prove Korean finance and law models on one 24 GB card, offline.",
    epilog="Start here: kofinlaw run quickstart. Check this machine: kofinlaw doctor.",
)
RecipeName = Annotated[str, typer.Argument(help="A recipe file, or the name of a shipped recipe.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key: --set train.max_steps=20 (repeatable)."),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the runs.")]
ResumeMode = Annotated[
    str,
    typer.Option("--resume", help="never: start anew; always: insist on going on; if-possible."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def say(line: str = "") -> None:
    """A line for the person, on standard output."""
    typer.echo(line)


def say_next(*lines: str) -> None:
    """End a command with what to do next."""
    say("\nNext:")
    for line in lines:
        say(f"  {line}")


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        say(f"kofinlaw {__version__}")
        raise typer.Exit


def check_resume(value: str) -> Any:
    """One of the three resume modes, or UserError."""
    if value not in ("never", "always", "if-possible"):
        raise UserError(
            f"--resume takes never, always or if-possible, not {value!r}", where="--resume"
        )
    return value


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    say(json.dumps(value, ensure_ascii=False))
