"""Run pip as it is configured on this machine, and read what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kofinlaw import UserError

__all__ = ["finds_no_wheel", "last_lines", "require_pip", "run_pip"]

# What pip says if no wheel fits the target, also with a file of constraints and for a folder of
# wheels; everything else is an error of its own.
_NO_WHEEL = (
    "No matching distribution found",
    "Could not find a version that satisfies",
    "ResolutionImpossible",
    "requires a different Python",
)
_QUIET = ["--disable-pip-version-check", "--no-input", "--quiet"]


def run_pip(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run pip; its temporary files lie in `folder`, on the disk that was found large enough."""
    environment = {**os.environ, "TMPDIR": str(folder)}
    environment.pop("PIP_QUIET", None)  # it would hide why pip fails
    command = [sys.executable, "-m", "pip", arguments[0], *_QUIET, *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def require_pip() -> None:
    """Raise UserError if this environment has no pip."""
    done = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True)
    if done.returncode:
        raise UserError(
            "this environment has no pip, which downloads the wheels",
            where=sys.executable,
            remedy="python -m ensurepip, or uv pip install pip",
        )


def last_lines(text: str) -> str:
    """Return the last lines of what pip wrote, as one line."""
    return " ".join(text.strip().splitlines()[-3:])


def finds_no_wheel(done: subprocess.CompletedProcess[str]) -> bool:
    """Return whether pip failed because no file of a package fits."""
    return done.returncode != 0 and any(words in done.stderr for words in _NO_WHEEL)
