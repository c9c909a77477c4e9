"""Decide which passages were in force on a day, and which are shown where no day is given."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kofinlaw.rag.arrays import Mask
from kofinlaw.records import Chunk

__all__ = ["AbsentAct", "Calendar"]

_NEVER = "9999-99-99"


@dataclass(frozen=True)
class AbsentAct:
    """An act that a question is about and that has no text on the day; its first is of `first`."""

    title: str
    first: str


class Calendar:
    """From when until when each passage was in force (ISO days by row).

    A passage says so itself where its corpus knew several versions (`since`, `until`). Otherwise
    it is in force from its `as_of` until the next day with a text under the same title. A court
    decision is never replaced by a later one, and a passage without a day was always in force.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        days: dict[str, set[str]] = {}
        for chunk in chunks:
            if chunk.as_of and not chunk.since and chunk.kind != "case":
                days.setdefault(chunk.title, set()).add(chunk.as_of)
        next_day = {
            (title, day): later
            for title, found in days.items()
            if len(found) > 1
            for day, later in zip(sorted(found), sorted(found)[1:], strict=False)
        }
        self._titles = [chunk.title for chunk in chunks]
        self._starts = np.array([chunk.since or chunk.as_of for chunk in chunks], dtype="U10")
        self._ends = np.array(
            [
                chunk.until or next_day.get((chunk.title, chunk.as_of), _NEVER)
                if chunk.kind != "case"
                else _NEVER
                for chunk in chunks
            ],
            dtype="U10",
        )
        self._decisions = np.array([chunk.kind == "case" for chunk in chunks], dtype=bool)

    def in_force(self, day: datetime.date) -> Mask:
        """Return the passages that are in force on the day."""
        asked = day.isoformat()
        return (self._starts <= asked) & (asked < self._ends)

    def shown_on(self, day: datetime.date) -> Mask | None:
        """Return the passages shown where no day is asked for and `day` is today; None:
        all of them.

        Of each title the text in force, or the first one where the act is yet to come into force;
        court decisions always.
        """
        shown = self.in_force(day) | self._decisions
        if coming := self._first_days(shown):
            first = np.array([coming.get(title, "") for title in self._titles], dtype="U10")
            shown |= (self._starts <= first) & (first < self._ends) & (first != "")
        return None if bool(shown.all()) else shown

    def without_text(self, day: datetime.date) -> tuple[Mask, dict[str, str]]:
        """Return the passages of titles without any text on the day,
        and each such title's first day.
        """
        first = self._first_days(self.in_force(day))
        return np.array([title in first for title in self._titles], dtype=bool), first

    def _first_days(self, shown: Mask) -> dict[str, str]:
        """Return the first day by title, of titles none of whose passages is shown."""
        present = {title for title, one in zip(self._titles, shown.tolist(), strict=True) if one}
        first: dict[str, str] = {}
        for title, start in zip(self._titles, self._starts.tolist(), strict=True):
            if title not in present:
                first[title] = min(first.get(title, _NEVER), start)
        return first
