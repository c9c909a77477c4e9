"""Define the record of a count of examples, and the order in which a sample is drawn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["DryCount", "name_order"]


@dataclass(frozen=True)
class DryCount:
    """What a run of the stage `augment` would make.

    - `items` are multiple-choice examples, `examples` all of them, `wanted` is what the recipe asks
      for. `low` and `high` bound `examples`; they are equal if the count is exact.
    - `tests` are all test questions, `free_tests` those in free text.
    - `mean_tokens` and `longest_tokens` are of the texts of an example, without the chat template.
    - `kinds` counts the examples by kind, `rejected` the questions left out by reason.
    - `how` says in words where the count comes from.
    - `held_out` are the titles of the documents that are held out; of a sample they are unknown.
    """

    items: int
    examples: int
    wanted: int
    low: int
    high: int
    tests: int
    free_tests: int
    mean_tokens: int
    longest_tokens: int
    kinds: dict[str, int]
    rejected: dict[str, int]
    how: str
    held_out: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the run will make exactly this many."""
        return self.low == self.high

    def sentence(self) -> str:
        """Return the number of examples in words: exact, or about with its range."""
        if self.exact:
            return f"{self.examples:,}"
        return f"about {self.examples:,} ({self.low:,} to {self.high:,})"


def name_order(name: str) -> str:
    """Return the key by which a sample is drawn: the SHA-256 of a name."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
