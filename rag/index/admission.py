"""Say which passages a query may find: as a mask, and as conditions that a server can check."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from kofinlaw.rag.arrays import Mask

__all__ = [
    "EVERYTHING",
    "Admission",
    "CitesArticles",
    "Condition",
    "InForce",
    "NoSupplement",
    "OfKind",
]


@dataclass(frozen=True)
class InForce:
    """Text that is in force on `day`.

    With `decisions` also court decisions of any day; `also` are rows that are let through besides.
    """

    day: datetime.date
    decisions: bool = False
    also: tuple[int, ...] = ()


@dataclass(frozen=True)
class OfKind:
    """Passages of these kinds."""

    kinds: tuple[str, ...]


@dataclass(frozen=True)
class NoSupplement:
    """Passages that are not 부칙."""


@dataclass(frozen=True)
class CitesArticles:
    """Passages of court decisions that cite articles of the corpus."""


Condition = InForce | OfKind | NoSupplement | CitesArticles


@dataclass(frozen=True, eq=False)
class Admission:
    """The passages that a query may find.

    `mask` says it for each passage (None: all may be found). The same is said once more in two
    parts: `conditions`, which hold for the properties of a passage, and `rest`, the mask of what
    no condition says (None: the conditions say all).
    """

    mask: Mask | None = None
    conditions: tuple[Condition, ...] = ()
    rest: Mask | None = None

    def limited(self, mask: Mask | None, condition: Condition | None = None) -> Admission:
        """Return this admission with a further limit; `condition` says the same as `mask`.

        A mask of None limits nothing.
        """
        if mask is None:
            return self
        both = mask if self.mask is None else self.mask & mask
        if condition is not None:
            return Admission(both, (*self.conditions, condition), self.rest)
        return Admission(both, self.conditions, mask if self.rest is None else self.rest & mask)


EVERYTHING = Admission()
