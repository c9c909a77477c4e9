"""Measuring memory in use, limiting it, and telling that it ran out."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from kofinlaw.models.memory.heap import trim_heap
from kofinlaw.units import GIB


class OverLimitError(MemoryError):
    """More memory is in use than `memory_limit_gib` allows; handled as out of memory."""


def memory_in_use() -> int:
    """Bytes this process holds now: the card's where there is CUDA, else resident memory."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.memory_reserved())
    return _status("VmRSS")


def peak_memory() -> int:
    """Most bytes held since `reset_peak`, or since the start where it cannot be reset."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    return _status("VmHWM")


def reset_peak() -> None:
    """Start a new peak. On Linux through `clear_refs`, which a container may forbid."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def device_name() -> str:
    """The card's name, or `cpu`: a budget found on one is not used on another."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def device_memory_access() -> dict[str, int]:
    """Percent of the last second in which the card's memory was read or written (NVML), if known.

    Empty without a card or without NVML's Python binding.
    """
    import torch

    if not torch.cuda.is_available():
        return {}
    try:
        return {"memory_access_percent": torch.cuda.memory_usage()}
    except (ImportError, RuntimeError):
        return {}


def use_expandable_segments() -> None:
    """Let torch's allocator grow its blocks: passes of ever new lengths then leave no holes.

    Takes effect where CUDA has not been used yet; what the person set stays.
    """
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")


def memory_limit(limit_gib: float | None) -> int:
    """Bytes training may hold: what was asked, else the card, else four fifths of free memory.

    Processes on one machine's processors (counted by their launcher) take an equal part each.
    On a card the limit is also set on torch's allocator, so passing it raises out of memory
    instead of spilling into the host's memory in silence (WSL). The CUDA context, about 1 GiB,
    lies outside the allocator and comes on top.
    """
    import torch

    if torch.cuda.is_available():
        total = int(torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory)
        limit = total if limit_gib is None else min(total, int(limit_gib * GIB))
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total))
        return limit
    if limit_gib is not None:
        return int(limit_gib * GIB)
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return memory_in_use() + int(0.8 * free_memory() / processes)


def free_memory() -> int:
    """Bytes of host memory still free: the machine's, or the control group's where it is less."""
    free = _meminfo("MemAvailable")
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return free if most == "max" else min(free, max(0, int(most) - used))


def release_memory() -> None:
    """Give back what is no longer used: reference cycles, torch's cache, the C library's heap."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    trim_heap()


def _status(key: str) -> int:
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return _kibibytes(Path("/proc/self/status"), key) or kibibytes * 1024


def _meminfo(key: str) -> int:
    return _kibibytes(Path("/proc/meminfo"), key) or 4 * GIB


def _kibibytes(path: Path, key: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return None
