"""The C library's heap on a processor: how much it holds beyond what is in use, and giving it back.

The hole that a freed tensor leaves in glibc's heap waits for a block that fits. `posix_memalign`
cuts slivers off to align a tensor, small objects take them, and so the hole is a little too small
for the next tensor of its size (glibc 2.36): over the layers a step comes to hold twice what it
needs. Two things keep that down. Large tensors get pages of their own, which go back to the system
when they are freed; and between layers the holes are handed back once they have added up. Doing
either for every tensor would cost time, because a page that comes back is zeroed anew.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kofinlaw.units import MIB

# From this many bytes on a block has pages of its own. glibc's own threshold moves up to 32 MiB.
OWN_PAGES = 8 * MIB
M_MMAP_THRESHOLD = -3  # malloc.h
# Resident memory may grow by this many bytes between layers before the holes are handed back.
GROWTH = 32 * MIB
_STATM = Path("/proc/self/statm")


def holes(tensors: Sequence[tuple[int, int]], tokens: int) -> float:
    """Bytes the heap holds free beside live tensors, each (bytes a token, how many).

    Inside a layer half of what is in use: where blocks come and go, every second one in use has a
    free neighbour (the fifty-percent rule, Knuth, The Art of Computer Programming 1, §2.5), of
    about its size where sizes repeat from layer to layer. Tensors with pages of their own leave
    none. From the layers before, as much as `keep_tight` lets stand.
    """
    live = sum(width * count for width, count in tensors if width * tokens < OWN_PAGES)
    return tokens * live / 2 + GROWTH


def trim() -> None:
    """Give free pages of the heap back to the system; nothing where the C library is not glibc."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


def keep_tight(model: Any) -> None:
    """Give large tensors pages of their own, and trim before a layer of `model` runs or is
    recomputed when memory has grown. For a model on a processor; nothing without glibc.

    The layers are those that transformers can recompute, of whatever family. A second call for
    the same model changes nothing.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim"):
        return
    library.mallopt(M_MMAP_THRESHOLD, OWN_PAGES)
    from transformers.modeling_layers import GradientCheckpointingLayer

    # Resident memory after the first layer since a trim: what one layer leaves free the next takes.
    base: int | None = None

    def before_layer(layer: Any, inputs: Any) -> None:
        nonlocal base
        now = _resident()
        if base is None or now < base:
            base = now
        elif now > base + GROWTH:
            trim()
            base = None

    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer) and not hasattr(module, "kept_tight"):
            module.register_forward_pre_hook(before_layer)
            module.kept_tight = True


def _resident() -> int:
    """Bytes of resident memory, in a few microseconds; 0 where /proc does not say."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
