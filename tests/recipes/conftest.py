"""A whole run in miniature: a random pico model, three short rulebooks, eight questions."""

import functools
import re
import shlex
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from attacks.small_run import (  # noqa: F401 (for tests that load this file)
    ACTS,
    RECIPE,
    write_documents,
    write_run_folder,
)


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs the command line with these words: (exit code, standard output, standard error)."""
    from kofinlaw.recipes.cli.entry import main

    def call(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["kofinlaw", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        for line in next_commands(printed.out):
            check_command(line)
        return code, printed.out, printed.err

    return call


def next_commands(printed: str) -> list[str]:
    """Return the commands that a command suggests at its end."""
    _, _, tail = printed.partition("\nNext:\n")
    return [line.strip() for line in tail.splitlines() if line.startswith("  ")]


@functools.cache
def parser():
    """Return the command line with commands that do nothing."""
    import typer

    from kofinlaw.recipes.cli.entry import command_line_app

    app = typer.main.get_command(command_line_app())
    open_groups = [app]
    while open_groups:
        for one in open_groups.pop().commands.values():
            if hasattr(one, "commands"):
                open_groups.append(one)
            one.callback = lambda **given: None
    return app


def check_command(line: str) -> None:
    """Check that a shell and the command line read a suggested command, without placeholders.

    The tests call no other program than kofinlaw, and no command ends with a word in capitals.
    """
    words = shlex.split(line, comments=True)
    assert words[0].endswith("kofinlaw"), line
    assert not [word for word in words if re.fullmatch(r"[A-Z_]{3,}(\.\w+)?", word)], line
    parser().main(args=words[1:], standalone_mode=False)


@pytest.fixture
def typed(command):
    """As `command`, with both outputs as one text: (exit code, text)."""

    def call(*words) -> tuple[int, str]:
        code, out, err = command(*words)
        return code, out + err

    return call


@pytest.fixture(scope="session")
def pico(tmp_path_factory) -> Path:
    """A folder with `recipe.yaml`, its documents, questions and model."""
    return write_run_folder(tmp_path_factory.mktemp("pico"))
