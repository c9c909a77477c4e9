"""What this machine has: Python, versions, card, memory, disk and extras, each with a remedy."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from kofinlaw.units import GIB

# The window the project is tested in; the same as in pyproject.toml.
SUPPORTED = {
    "transformers": ">=5.16.1,<5.18",
    "trl": ">=1.13,<1.15",
    "datasets": ">=4.8.4,<5",
    "peft": ">=0.21",
    "accelerate": ">=1.15",
    "bitsandbytes": ">=0.50",
}
EXTRAS = ("quickstart", "hwp", "unsloth", "vllm", "deepspeed", "weaviate", "dense", "track")
# The quickstart: its model twice, its environment not counted.
MEMORY_GIB, DISK_GIB = 4.0, 5.0
# A card sold as 24 GB shows a little less.
CARD_GIB = 22.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, what is wanted, and how to mend it where it is not ok."""

    name: str
    ok: bool
    found: str
    wanted: str = ""
    remedy: str = ""


def examine_machine() -> list[Finding]:
    """Every check of this machine; imports nothing heavy and changes nothing."""
    return [
        _python(),
        _torch(),
        *(_package(name, wanted) for name, wanted in SUPPORTED.items()),
        _gpu(),
        _memory(),
        _disk(),
        *(_extra(name) for name in EXTRAS),
        _weaviate(),
    ]


def gpu_memory_gib() -> float | None:
    """Memory of the first graphics card in GiB, None without one (asks nvidia-smi)."""
    card = _first_card()
    return card[1] if card else None


def free_memory_gib() -> float:
    """Host memory still free in GiB: the machine's, or the control group's where it is less."""
    free = _meminfo("MemAvailable")
    limit, used = _cgroup()
    return free if limit is None else min(free, max(0.0, limit - used))


def _python() -> Finding:
    found = platform.python_version()
    ok = sys.version_info >= (3, 11)
    return Finding("python", ok, found, ">=3.11", "" if ok else "install Python 3.11 or newer")


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _torch() -> Finding:
    found = _installed("torch")
    if found is None:
        return Finding("torch", False, "not installed", "2.9 or newer", "pip install torch")
    build = found.partition("+")[2]
    if not build:
        kind = ""
    elif build == "cpu":
        kind = " (CPU build)"
    else:
        kind = f" (built for {build})"
    mismatch = build == "cpu" and _first_card() is not None
    remedy = "the card stays idle: install torch's CUDA build" if mismatch else ""
    return Finding("torch", not mismatch, found + kind, "a build for this machine", remedy)


def _package(name: str, wanted: str) -> Finding:
    found = _installed(name)
    ok = found is not None and within(found, wanted)
    remedy = "" if ok else f"pip install '{name}{wanted}'"
    if name == "trl" and found is not None and not ok and within(found, ">=1.15"):
        remedy += " (TRL 1.15 does not train on a processor: its head needs Triton)"
    return Finding(name, ok, found or "not installed", wanted, remedy)


def within(found: str, wanted: str) -> bool:
    """Whether a version satisfies comma-separated bounds with >= and <, numbers compared."""
    for bound in wanted.split(","):
        sign, limit = re.match(r"(>=|<)(.+)", bound.strip()).groups()  # type: ignore[union-attr]
        below = _numbers(found) < _numbers(limit)
        if below != (sign == "<"):
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    release = re.match(r"\d+(?:\.\d+)*", text)
    numbers = [int(part) for part in release.group().split(".")] if release else []
    return tuple(numbers + [0] * (4 - len(numbers)))


def _first_card() -> tuple[str, float, str] | None:
    """(name, memory in GiB, driver) of the first card that nvidia-smi lists."""
    query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    text = _output(["nvidia-smi", *query])
    if not text:
        return None
    parts = [part.strip() for part in text.splitlines()[0].split(",")]
    try:
        return parts[0], float(parts[1]) / 1024, parts[2]
    except (IndexError, ValueError):
        return None


def _output(command: list[str]) -> str:
    """What a program prints; empty where it is absent, fails or hangs."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip()


def _gpu() -> Finding:
    card = _first_card()
    if card is None:
        return Finding("graphics card", True, "none: quickstart and statutes-cpu run without one")
    name, memory, driver = card
    found = f"{name}, {memory:.1f} GiB, driver {driver}"
    if memory < CARD_GIB:
        found += f"; see `kofinlaw models --fits {memory:.0f}` for what fits"
    return Finding("graphics card", True, found)


def _memory() -> Finding:
    free, total = free_memory_gib(), _meminfo("MemTotal")
    limit, _ = _cgroup()
    total = total if limit is None else min(total, limit)
    ok = free >= MEMORY_GIB
    remedy = "" if ok else "close other programs, or set train.memory_limit_gib"
    return Finding(
        "memory", ok, f"{free:.1f} of {total:.1f} GiB free", f"{MEMORY_GIB:.0f} GiB free", remedy
    )


def _meminfo(key: str, path: Path = Path("/proc/meminfo")) -> float:
    """A line of /proc/meminfo in GiB; without that file, all physical memory."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024 / GIB
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB


# Control groups version 2, then version 1.
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def _cgroup() -> tuple[float | None, float]:
    """(limit, in use) of this process's control group in GiB; no limit is None."""
    for most, used in _CGROUPS:
        try:
            limit, current = Path(most).read_text().strip(), int(Path(used).read_text())
        except (OSError, ValueError):
            continue
        # Version 1 writes a number near 2^63 for "no limit".
        if limit == "max" or int(limit) > 1 << 60:
            return None, current / GIB
        return int(limit) / GIB, current / GIB
    return None, 0.0


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / GIB
    ok = free >= DISK_GIB
    remedy = "" if ok else "free some space, or run in a folder on another disk"
    return Finding("disk", ok, f"{free:.1f} GiB free here", f"{DISK_GIB:.0f} GiB", remedy)


def _extra(name: str) -> Finding:
    """An extra of this package: which of its packages are here. Missing ones are no fault."""
    packages = _extra_packages(name)
    missing = [package for package in packages if _installed(package) is None]
    label = f"extra {name}"
    install = f"pip install 'kofinlaw[{name}]'"
    if not packages:
        return Finding(label, True, "not part of this installation")
    if not missing:
        present = ", ".join(f"{package} {_installed(package)}" for package in packages)
        return Finding(label, True, present, "", install)
    if len(missing) == len(packages):
        return Finding(label, True, f"not installed ({install})", "", install)
    return Finding(label, True, f"in part: no {', '.join(missing)} ({install})", "", install)


def _extra_packages(
    name: str, listed: Callable[[str], list[str] | None] = requires
) -> tuple[str, ...]:
    """Names of the packages an extra asks for, from this package's own metadata."""
    try:
        lines = listed("kofinlaw") or []
    except PackageNotFoundError:
        return ()
    wanted = re.compile(rf"extra\s*==\s*[\"']{re.escape(name)}[\"']")
    found = [re.match(r"[A-Za-z0-9._-]+", line) for line in lines if wanted.search(line)]
    return tuple(match.group() for match in found if match)


def _weaviate() -> Finding:
    client = _installed("weaviate-client")
    here = f"client {client}" if client else "client not installed"
    return Finding(
        "weaviate", True, f"{here}; unverified: no server has been run with this version"
    )
