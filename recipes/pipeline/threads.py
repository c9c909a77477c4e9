"""Let waiting OpenMP threads sleep, for processors that also run other work."""

from __future__ import annotations

import os

__all__ = ["SPINS", "share_processor"]

# How often a waiting thread of GNU's OpenMP checks the others before it sleeps. Its default of
# 300,000 takes about a millisecond, in which it occupies the core that the last thread may need.
SPINS = "1000"


def share_processor() -> None:
    """Let waiting threads sleep soon; call it before torch is loaded.

    If other work uses the same cores, two threads that spin are several times slower than one
    thread (decision 029). An existing OMP_WAIT_POLICY or GOMP_SPINCOUNT is left unchanged.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
