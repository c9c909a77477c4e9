"""How OpenMP's threads wait for each other where the processor is shared with other work."""

from __future__ import annotations

import os

# GNU's OpenMP looks this often whether the others are done before it sleeps; by itself 300,000
# times, about a millisecond. A thread that spins holds the core that the last one waits for.
SPINS = "1000"


def share_processor() -> None:
    """Let waiting threads sleep; call it before torch is loaded.

    Beside other work on the same cores two spinning threads are several times slower than one
    (decision 029). Whoever has set OMP_WAIT_POLICY or GOMP_SPINCOUNT is heeded.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
