"""Print lines, JSON and the suggested next commands on standard output."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import typer

__all__ = ["command_line", "print_json", "say", "say_next", "short_path"]


def say(line: str = "") -> None:
    """Print one line on standard output."""
    typer.echo(line)


def say_next(*lines: str) -> None:
    """End a command with the commands that a user is likely to run next."""
    say("\nNext:")
    for line in lines:
        say(f"  {line}")


def command_line(*words: object, comment: str = "") -> str:
    """Return a `kofinlaw` command that a shell runs as printed, with an optional `# comment`."""
    line = shlex.join(["kofinlaw", *map(str, words)])
    return f"{line}   # {comment}" if comment else line


def print_json(value: object) -> None:
    """Print one JSON value on one line."""
    say(json.dumps(value, ensure_ascii=False))


def short_path(path: Path) -> str:
    """Return the path relative to the current folder if it lies below it, else unchanged."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
