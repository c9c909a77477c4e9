"""Name the units of memory and file sizes: bytes in a mebibyte and in a gibibyte."""

from __future__ import annotations

MIB = 2**20
GIB = 2**30
