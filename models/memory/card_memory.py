"""Ask how much memory of the first card is free, and decide what an engine or a training may take.

The card's context, cuBLAS's workspaces and a desktop take memory outside of torch's allocator.
Sizes are bytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

from kofinlaw.units import GIB

__all__ = [
    "ENGINE_RESERVE",
    "MOST_SHARE",
    "TRAINING_RESERVE",
    "CardMemory",
    "card_memory",
    "memory_share",
    "use_expandable_segments",
]

# Left free next to an engine in a process of its own: that process's context with its libraries
# (0.5 to 1 GiB), and what a desktop takes later.
ENGINE_RESERVE = int(1.5 * GIB)
# Left free next to training in this process, whose context is there already: cuBLAS's workspaces
# and what a desktop takes later.
TRAINING_RESERVE = int(0.5 * GIB)
# Most of a card's memory that an engine is given.
MOST_SHARE = 0.95


@dataclass(frozen=True)
class CardMemory:
    """The memory of a card in bytes: `free` for a new allocation, and `total`."""

    free: int
    total: int


def card_memory() -> CardMemory | None:
    """Return the memory of the first card, or None without one.

    It is torch's answer where this process uses CUDA already. Otherwise nvidia-smi is asked, so
    that no context (0.5 GiB) is made only to ask.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        free, total = torch.cuda.mem_get_info()
        return CardMemory(int(free) + _unused(torch), int(total))
    return _from_nvidia_smi()


def _unused(torch: object) -> int:
    """Return the bytes that torch's allocator holds here without using them."""
    cuda = torch.cuda  # type: ignore[attr-defined]
    return int(cuda.memory_reserved()) - int(cuda.memory_allocated())


def _from_nvidia_smi() -> CardMemory | None:
    query = ["nvidia-smi", "--query-gpu=memory.free,memory.used", "--format=csv,noheader,nounits"]
    if (first := os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()).isdigit():
        query.append(f"--id={first}")
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
        free, used = (int(float(part)) << 20 for part in done.stdout.splitlines()[0].split(","))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    # `memory.total` also counts what the driver keeps, which no program gets.
    return CardMemory(free, free + used)


def memory_share(card: CardMemory, *, reserve: int = ENGINE_RESERVE) -> float:
    """Return the share of a card's total memory that an engine in another process may take now.

    It is what is free less `reserve`, rounded down to a hundredth, at most `MOST_SHARE`; 0 if
    nothing is left.
    """
    share = (card.free - reserve) / card.total
    return max(0.0, min(MOST_SHARE, int(100 * share) / 100))


def use_expandable_segments() -> None:
    """Let torch's allocator extend its blocks, so that passes of changing lengths leave no holes.

    This takes effect if the process has not used CUDA yet, so commands call it when they start. A
    setting of the user is kept.
    """
    if "PYTORCH_ALLOC_CONF" not in os.environ:
        os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
