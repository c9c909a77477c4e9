"""Print lines, JSON and the suggested next commands on standard output."""

from __future__ import annotations

import json
import re
from pathlib import Path

import typer

from kofinlaw.commands import command_line
from kofinlaw.texts import terminal_text

__all__ = [
    "asking_command",
    "command_line",
    "print_json",
    "say",
    "say_next",
    "say_styled",
    "short_path",
]


_STYLE = re.compile(r"(\x1b\[[01]m)")  # bold, plain


def say(line: str = "") -> None:
    """Print one line on standard output, without control characters of others' texts."""
    typer.echo(terminal_text(line))


def say_styled(line: str) -> None:
    """Print a line of an answer as `say` does, but keep the codes of its bold words."""
    parts = _STYLE.split(line)
    shown = "".join(p if _STYLE.fullmatch(p) else terminal_text(p) for p in parts)
    typer.echo(shown, color=True)  # the style of the lines knows whether this is a terminal


def say_next(*lines: str) -> None:
    """End a command with the commands that a user is likely to run next.

    Each line is made by `command_line`, so that a shell runs it as printed.
    """
    say("\nNext:")
    for line in lines:
        say(f"  {line}")


def asking_command(run: Path) -> str:
    """Return the command that asks the run in this folder a question that its documents answer."""
    from kofinlaw.recipes.starting.example_question import example_question

    question = example_question(run / "data") or "무엇을 정한 규정인가요?"
    return command_line("ask", question, "--run", short_path(run))


def print_json(value: object) -> None:
    """Print one JSON value on one line."""
    say(json.dumps(value, ensure_ascii=False))


def short_path(path: Path) -> str:
    """Return the path relative to the current folder if it lies below it, else unchanged."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
