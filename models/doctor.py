"""Check this machine: Python, package versions, GPU, memory, disk and extras, with remedies."""

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

__all__ = [
    "APART",
    "CARD_GIB",
    "DISK_GIB",
    "EXTRAS",
    "MEMORY_GIB",
    "SUPPORTED",
    "Finding",
    "broken_requirements",
    "examine_machine",
    "first_card",
    "free_memory_gib",
    "gpu_memory_gib",
    "installed_version",
    "usable_memory_gib",
    "within",
]

# The tested versions, the same as in pyproject.toml.
SUPPORTED = {
    "transformers": ">=5.16.1,<5.18",
    "trl": ">=1.13,<1.15",
    "datasets": ">=4.8.4,<5",
    "peft": ">=0.21",
    "accelerate": ">=1.15",
    "bitsandbytes": ">=0.50",
}
EXTRAS = ("quickstart", "liger", "vllm", "deepspeed", "ray", "weaviate", "dense", "track")
# Extras that cannot be in the environment of the tested versions (constraints.txt), and why.
# `make check-extras` tests this list.
APART = {"vllm": "it needs older numba, llguidance and numpy than constraints.txt"}
# What the quickstart needs: room for its model twice, without the Python environment.
MEMORY_GIB, DISK_GIB = 4.0, 5.0
# A card sold as 24 GB reports a little less.
CARD_GIB = 22.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: what was found, what is required, and how to fix a problem."""

    name: str
    ok: bool
    found: str
    wanted: str = ""
    remedy: str = ""


def examine_machine() -> list[Finding]:
    """Run every check of this machine. Imports no heavy library and changes nothing."""
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
    """Return the memory of the first GPU in GiB, as nvidia-smi reports it; None without a GPU."""
    card = first_card()
    return card[1] if card else None


def free_memory_gib() -> float:
    """Return the free host memory in GiB: the machine's or the control group's, the smaller one."""
    free = _meminfo("MemAvailable")
    limit, used = _cgroup()
    return free if limit is None else min(free, max(0.0, limit - used))


def usable_memory_gib(*, card: bool = True) -> tuple[float, str]:
    """Return the memory that training may use by default in GiB, and where the figure comes from.

    It is that of the card. Without a card, or with `card` False, the trainer leaves a fifth of the
    free memory to the rest of the machine.
    """
    gib = gpu_memory_gib() if card else None
    if gib is not None:
        return gib, "this machine's card"
    return 0.8 * free_memory_gib(), "four fifths of this machine's free memory"


def _python() -> Finding:
    found = platform.python_version()
    ok = sys.version_info >= (3, 11)
    return Finding("python", ok, found, ">=3.11", "" if ok else "install Python 3.11 or newer")


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def broken_requirements(package: str) -> list[str]:
    """Return the requirements of an installed package that are not met here, with what was found.

    For example `numba==0.65.0 (found 0.68.1)`. Requirements of its extras and of other systems do
    not count. A package that is not installed has none.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        lines = requires(package) or []
    except PackageNotFoundError:
        return []
    broken = []
    for line in lines:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        found = installed_version(wanted.name)
        if found is None or not wanted.specifier.contains(found, prereleases=True):
            broken.append(f"{wanted.name}{wanted.specifier} (found {found or 'none'})")
    return broken


def _torch() -> Finding:
    found = installed_version("torch")
    if found is None:
        return Finding("torch", False, "not installed", "2.9 or newer", "pip install torch")
    build = found.partition("+")[2]
    if not build:
        kind = ""
    elif build == "cpu":
        kind = " (CPU build)"
    else:
        kind = f" (built for {build})"
    mismatch = build == "cpu" and first_card() is not None
    remedy = "torch does not use the GPU: install its CUDA build" if mismatch else ""
    return Finding("torch", not mismatch, found + kind, "a build for this machine", remedy)


def _package(name: str, wanted: str) -> Finding:
    found = installed_version(name)
    ok = found is not None and within(found, wanted)
    remedy = "" if ok else f"pip install '{name}{wanted}'"
    if name == "trl" and found is not None and not ok and within(found, ">=1.15"):
        remedy += " (TRL 1.15 does not train on a CPU: its head needs Triton)"
    return Finding(name, ok, found or "not installed", wanted, remedy)


def within(found: str, wanted: str) -> bool:
    """Return whether a version satisfies comma-separated bounds with >= and <,
    compared by number.
    """
    for bound in map(str.strip, wanted.split(",")):
        below = _numbers(found) < _numbers(bound.lstrip("<>="))
        if below != bound.startswith("<"):
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    release = re.match(r"\d+(?:\.\d+)*", text)
    numbers = [int(part) for part in release.group().split(".")] if release else []
    return tuple(numbers + [0] * (4 - len(numbers)))


def first_card() -> tuple[str, float, str] | None:
    """Return (name, GiB of memory, driver version) of the first GPU of nvidia-smi, or None."""
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
    """Return what a program prints; empty if it is absent, fails or takes over 10 seconds."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip()


def _gpu() -> Finding:
    card = first_card()
    if card is None:
        return Finding("GPU", True, "none: quickstart and statutes-cpu run without one")
    name, memory, driver = card
    found = f"{name}, {memory:.1f} GiB, driver {driver}"
    if memory < CARD_GIB:
        found += f"; see `kofinlaw models --fits {memory:.0f}` for what fits"
    # By its design; no card has run it here.
    found += "; to answer many questions, engine vllm is the way for a card (extra vllm, not run)"
    return Finding("GPU", True, found)


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
    """Return a line of /proc/meminfo in GiB; without that file, the physical memory."""
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
    """Return (limit, in use) of this process's control group in GiB; None if there is no limit."""
    for limit_file, usage_file in _CGROUPS:
        try:
            limit = Path(limit_file).read_text().strip()
            current = int(Path(usage_file).read_text())
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
    """Report which packages of an extra are installed, and whether their requirements are met.

    A missing extra is not a problem.
    """
    packages = _extra_packages(name)
    missing = [package for package in packages if installed_version(package) is None]
    label = f"extra {name}"
    install = f"pip install 'kofinlaw[{name}]'"
    if not packages:
        return Finding(label, True, "not part of this installation")
    if name in APART:
        install += f" in an environment of its own: {APART[name]}"
    if not missing:
        present = ", ".join(f"{package} {installed_version(package)}" for package in packages)
        broken = [line for package in packages for line in broken_requirements(package)]
        if broken:
            remedy = f"make a new virtual environment and run pip install 'kofinlaw[{name}]' there"
            return Finding(label, False, present, ", ".join(broken), remedy)
        return Finding(label, True, present, "", install)
    if len(missing) == len(packages):
        return Finding(label, True, f"not installed ({install})", "", install)
    found = f"incomplete, missing {', '.join(missing)} ({install})"
    return Finding(label, True, found, "", install)


def _extra_packages(
    name: str, listed: Callable[[str], list[str] | None] = requires
) -> tuple[str, ...]:
    """Return the packages of an extra, from the metadata of the installed kofinlaw."""
    try:
        lines = listed("kofinlaw") or []
    except PackageNotFoundError:
        return ()
    wanted = re.compile(rf"extra\s*==\s*[\"']{re.escape(name)}[\"']")
    found = [re.match(r"[A-Za-z0-9._-]+", line) for line in lines if wanted.search(line)]
    return tuple(match.group() for match in found if match)


def _weaviate() -> Finding:
    client = installed_version("weaviate-client")
    state = f"client {client}" if client else "client not installed"
    return Finding(
        "weaviate", True, f"{state}; unverified: no server has been run with this version"
    )
