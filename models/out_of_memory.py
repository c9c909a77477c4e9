"""Recognise out-of-memory errors of CUDA, of its libraries, of the CPU allocator and of Python."""

from __future__ import annotations

from kofinlaw.errors import MachineError

__all__ = ["is_out_of_memory", "memory_shortage"]

_MARKS = (
    "out of memory",  # torch.OutOfMemoryError, "CUDA error: out of memory", HIP
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "cusolver_status_alloc_failed",
    "can't allocate memory",  # DefaultCPUAllocator on Linux
    "not enough memory",  # DefaultCPUAllocator elsewhere
    "cannot allocate memory",
    "failed to allocate",
    "bad_alloc",  # C++
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out, so that a smaller batch may succeed.

    CUDA raises `torch.OutOfMemoryError` or a RuntimeError ("CUDA error: out of memory", or an
    error of its libraries). The CPU allocator raises RuntimeError, the system OSError, Python
    MemoryError, and safetensors an error of its own with the system's text.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    may = isinstance(error, RuntimeError | OSError) or type(error).__name__ == "SafetensorError"
    return may and any(mark in text for mark in _MARKS)


def memory_shortage(error: BaseException, doing: str, *, where: str, remedy: str) -> MachineError:
    """Return the error that says that memory ran out while `doing` something, and what helps."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return MachineError(
        f"memory ran out while {doing}: {reason}",
        where=where,
        remedy=f"{remedy}; free memory, or raise the limit of this process (ulimit -v, the "
        "container's memory)",
        everywhere=True,
    )
