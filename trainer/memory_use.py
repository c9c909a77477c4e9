"""Measure the memory in use, limit it, and give free memory back."""

from __future__ import annotations

import gc
import os
import resource
from pathlib import Path

import torch

from kofinlaw.models.memory.card_memory import TRAINING_RESERVE
from kofinlaw.models.memory.heap import trim_heap
from kofinlaw.units import GIB

__all__ = [
    "OverLimitError",
    "card_limit",
    "device_memory_access",
    "device_name",
    "free_memory",
    "memory_in_use",
    "memory_limit",
    "peak_memory",
    "release_memory",
    "reset_peak",
]


class OverLimitError(MemoryError):
    """More memory is in use than `memory_limit_gib` allows; handled as out of memory."""


def memory_in_use() -> int:
    """Return the bytes that this process holds: GPU memory with CUDA, else resident memory."""
    if torch.cuda.is_available():
        return int(torch.cuda.memory_reserved())
    return _status("VmRSS")


def peak_memory() -> int:
    """Return the maximum of `memory_in_use` since `reset_peak`, in bytes.

    Where the peak cannot be reset, this is the maximum since the start of the process.
    """
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    return _status("VmHWM")


def reset_peak() -> None:
    """Start a new peak. On Linux this writes to `clear_refs`, which a container may forbid."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def device_name() -> str:
    """Return the name of the GPU, or `cpu`; a token budget belongs to one GPU."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def device_memory_access() -> dict[str, int]:
    """Return the percentage of the last second in which the GPU's memory was accessed (NVML).

    The result is empty without a GPU or without the Python binding of NVML.
    """
    if not torch.cuda.is_available():
        return {}
    try:
        return {"memory_access_percent": torch.cuda.memory_usage()}
    except (ImportError, RuntimeError):
        return {}


def memory_limit(limit_gib: float | None) -> int:
    """Return the bytes that training may hold.

    This is `limit_gib`, or what the card has free for this process, less `TRAINING_RESERVE`, or
    without a card four fifths of the free memory. Processes on one machine without a GPU (counted
    by their launcher) get equal parts.

    On a GPU the limit is also set in torch's allocator. Exceeding it then raises out of memory
    instead of silently using host memory (WSL). The CUDA context, about 1 GiB, lies outside the
    allocator and is not included; neither is what other programs and the desktop hold.
    """
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        limit = card_limit(free, total, int(torch.cuda.memory_reserved()), limit_gib)
        torch.cuda.set_per_process_memory_fraction(limit / total)
        return limit
    if limit_gib is not None:
        return int(limit_gib * GIB)
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return memory_in_use() + int(0.8 * free_memory() / processes)


def card_limit(free: int, total: int, held: int, limit_gib: float | None) -> int:
    """Return the bytes that torch's allocator may hold on a card.

    Args:
        free: bytes that a new allocation can get now.
        total: bytes of the card.
        held: bytes that the allocator of this process holds already.
        limit_gib: the configured limit; None: everything but the reserve.

    The result is never below what is held, because that cannot be given back.
    """
    room = max(held, free + held - TRAINING_RESERVE)
    asked = total if limit_gib is None else int(limit_gib * GIB)
    return min(total, room, asked)


def free_memory() -> int:
    """Return the free bytes of host memory: of the machine, or of the control group if less."""
    free = _meminfo("MemAvailable")
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return free if most == "max" else min(free, max(0, int(most) - used))


def release_memory() -> None:
    """Free unused memory: reference cycles, torch's cache, and the heap of the C library."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    trim_heap()


def _status(key: str) -> int:
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return _proc_bytes(Path("/proc/self/status"), key) or kibibytes * 1024


def _meminfo(key: str) -> int:
    return _proc_bytes(Path("/proc/meminfo"), key) or 4 * GIB


def _proc_bytes(path: Path, key: str) -> int | None:
    """Return a value of a file of /proc in bytes; None if it cannot be read."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return None
