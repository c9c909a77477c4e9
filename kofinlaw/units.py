"""Name the units of memory and file sizes: bytes in a mebibyte and in a gibibyte."""

from __future__ import annotations

__all__ = ["GIB", "MIB"]

MIB = 2**20
GIB = 2**30
