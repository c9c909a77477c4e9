"""Telling that memory ran out, in all the ways it is said: a smaller batch may help then."""

from __future__ import annotations

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
    """Whether `error` says that memory ran out.

    CUDA says it with `torch.OutOfMemoryError`, with a RuntimeError of its own ("CUDA error: out
    of memory") or through its libraries; the CPU allocator with a RuntimeError, the system with an
    OSError, Python with MemoryError.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError | OSError) and any(mark in text for mark in _MARKS)
