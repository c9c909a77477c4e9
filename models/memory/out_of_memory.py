"""Recognise out-of-memory errors of CUDA, of its libraries, of the CPU allocator and of Python."""

from __future__ import annotations

__all__ = ["is_out_of_memory"]

_MARKS = (
    "out of memory",  # torch.OutOfMemoryError, "CUDA error: out of memory", HIP
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "cusolver_status_alloc_failed",
    "can't allocate memory",  # DefaultCPUAllocator on Linux
    "not enough memory",  # DefaultCPUAllocator elsewhere
    "cannot allocate memory",
    "failed to allocate",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out, so that a smaller batch may succeed.

    CUDA raises `torch.OutOfMemoryError` or a RuntimeError ("CUDA error: out of memory", or an
    error of its libraries). The CPU allocator raises RuntimeError, the system OSError, and Python
    MemoryError.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError | OSError) and any(mark in text for mark in _MARKS)
