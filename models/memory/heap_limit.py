"""Limit the growth of glibc's heap while a model runs on a CPU (see `models/memory/heap.py`)."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from kofinlaw.models.memory.heap import GROWTH, OWN_PAGES, trim_heap

__all__ = ["M_MMAP_THRESHOLD", "limit_heap_growth"]

M_MMAP_THRESHOLD = -3  # malloc.h
_STATM = Path("/proc/self/statm")


class _TrimBeforeLayer:
    """A forward pre-hook that trims the heap when resident memory has grown by `GROWTH` bytes."""

    def __init__(self) -> None:
        # Resident bytes at the first layer after a trim: each layer reuses what the last one freed.
        self._base: int | None = None

    def __call__(self, layer: torch.nn.Module, inputs: object) -> None:
        now = _resident()
        if self._base is None or now < self._base:
            self._base = now
        elif now > self._base + GROWTH:
            trim_heap()
            self._base = None


def limit_heap_growth(model: torch.nn.Module) -> None:
    """Give large tensors their own pages, and trim the heap before a layer when it has grown.

    For a model on a CPU; does nothing without glibc. The hook runs before each forward pass and
    each recomputation of the layers that transformers can recompute, in every model family. A
    second call for the same model changes nothing.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim"):
        return
    library.mallopt(M_MMAP_THRESHOLD, OWN_PAGES)
    hook = _TrimBeforeLayer()
    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer) and not hasattr(module, "heap_limited"):
            module.register_forward_pre_hook(hook)
            module.heap_limited = True


def _resident() -> int:
    """Return bytes of resident memory, read in a few microseconds; 0 if /proc is not available."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
