"""Options that commands share."""

from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.cli.options import DEFAULT_RUNS, check_resume, same_run


def test_there_are_three_resume_modes():
    assert [check_resume(mode) for mode in ("never", "always", "if-possible")] == [
        "never",
        "always",
        "if-possible",
    ]
    with pytest.raises(UserError, match="unknown resume mode 'sometimes'"):
        check_resume("sometimes")


def test_the_next_command_reads_the_same_run():
    assert same_run(None, DEFAULT_RUNS) == []
    assert same_run(["seed=1", "name=a"], Path("other")) == [
        *("--set", "seed=1"),
        *("--set", "name=a"),
        *("--runs", "other"),
    ]


def test_a_group_runs_its_first_command_if_none_is_named(command):
    code, _, err = command("data", "no-such-recipe")
    assert (code, "no-such-recipe: no such recipe" in err) == (1, True)
    code, out, _ = command("data", "inspect", "--help")
    assert (code, "Show what documents hold before any run" in out) == (0, True)
