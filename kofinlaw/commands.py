"""Write `kofinlaw` commands that a shell runs as printed."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["again_command", "command_line", "program", "same_command", "stage_command"]

PROGRAM = "kofinlaw"


def program() -> list[str]:
    """Return the words that start kofinlaw in the current folder.

    `kofinlaw` if the shell finds it; else the path that this process was started with, for example
    `.venv/bin/kofinlaw`, or `python -m kofinlaw`.
    """
    if shutil.which(PROGRAM):
        return [PROGRAM]
    called = Path(sys.argv[0])
    if called.name == PROGRAM and called.is_file():
        return [sys.argv[0]]
    if called.name == "__main__.py" and called.parent.name == PROGRAM:
        return [sys.executable, "-m", PROGRAM]
    return [PROGRAM]


def command_line(*words: object, comment: str = "") -> str:
    """Return a `kofinlaw` command that a shell runs as printed, with an optional `# comment`."""
    line = shlex.join([*program(), *map(str, words)])
    return f"{line}   # {comment}" if comment else line


def same_command(arguments: Sequence[str]) -> str:
    """Return the command with these arguments again, such that it continues unfinished work.

    `--resume never` and `--again STAGE` would start from the beginning, so they are left out.
    """
    words: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word in ("--resume", "--again"):
            value = next(rest, "")
            if word == "--resume" and value != "never":
                words += [word, value]
        elif word != "--resume=never" and not word.startswith("--again="):
            words.append(word)
    return command_line(*words)


def stage_command(stage: str, run: Path) -> str:
    """Return the command that runs the stages of the run in the folder `run` up to this one.

    A run keeps its resolved recipe. Without one the recipe is not known, and the command is
    described in words.
    """
    recipe = run / "recipe.yaml"
    if not recipe.is_file():
        return f"kofinlaw run RECIPE --until {stage}"
    if _is_study(run):
        return command_line("study", recipe, "--runs", run.parent)
    return command_line("run", recipe, "--folder", run, "--until", stage)


def again_command(stage: str, run: Path) -> str:
    """Return the command that runs one finished stage of the run in the folder `run` again."""
    recipe = run / "recipe.yaml"
    if stage == "prefer":  # no stage of `run`
        return command_line(stage, "RECIPE", "--runs", run.parent, "--resume", "never")
    if not recipe.is_file():
        return f"kofinlaw run RECIPE --until {stage} --again {stage}"
    if _is_study(run):
        return command_line("study", recipe, "--runs", run.parent, "--again", stage)
    options = ["--folder", run, "--until", stage, "--again", stage]
    return command_line("run", recipe, *options)


def _is_study(run: Path) -> bool:
    """Return whether `kofinlaw study` made the folder: only it has the stage `asked`."""
    return (run / "asked").is_dir()
