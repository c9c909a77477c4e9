"""Estimate how much free memory glibc's heap keeps on a CPU, and return it to the system.

When a tensor is freed, the heap keeps its space for the next block that fits. `posix_memalign`
splits small pieces off to align a tensor, and small objects take these pieces. The space is then a
little too small for the next tensor of the same size (glibc 2.36), and over the layers a training
step comes to hold twice the memory that it needs. Two measures limit this:

- Large tensors get their own pages, which return to the system when the tensor is freed.
- Between layers the free space is returned when it has grown (`models/memory/heap_limit.py`).

Doing either for every tensor would cost time, because the system zeroes each returned page again.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from kofinlaw.units import MIB

__all__ = ["GROWTH", "OWN_PAGES", "expected_free_bytes", "trim_heap"]

# Blocks of at least this many bytes get their own pages. glibc's own threshold rises to 32 MiB.
OWN_PAGES = 8 * MIB
# Resident memory may grow by this many bytes between layers before free space is returned.
GROWTH = 32 * MIB


def expected_free_bytes(tensors: Sequence[tuple[int, int]], tokens: int) -> float:
    """Estimate the free bytes that the heap keeps in addition to live tensors.

    Within a layer this is half of the live bytes: where blocks come and go, every second block in
    use has a free neighbour (the fifty-percent rule, Knuth, The Art of Computer Programming 1,
    §2.5), of about its own size because the sizes repeat from layer to layer. Tensors with their
    own pages leave no free space. Earlier layers add as much as `limit_heap_growth` allows.

    Args:
        tensors: (bytes per token, number of tensors) of the live tensors.
        tokens: tokens of the micro-batch.
    """
    live = sum(width * count for width, count in tensors if width * tokens < OWN_PAGES)
    return tokens * live / 2 + GROWTH


def trim_heap() -> None:
    """Return the heap's free pages to the system; does nothing if the C library is not glibc."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
