"""Which passages were in force on a day, and which are shown where no day is asked for."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.records import Chunk

_NEVER = "9999-99-99"


@dataclass(frozen=True)
class Absent:
    """An act that a question is about and that has no text of the day: the first is of `first`."""

    title: str
    first: str


class Calendar:
    """From when until when each passage was in force (ISO days by place).

    A passage says so itself where its corpus knew several versions (`since`, `until`). Else it is
    in force from its `as_of` until the next day of which there is a text under its title; a court
    decision is not replaced by a later one. One without a day was always in force.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        days: dict[str, set[str]] = {}
        for chunk in chunks:
            if chunk.as_of and not chunk.since and chunk.kind != "case":
                days.setdefault(chunk.title, set()).add(chunk.as_of)
        followed = {
            (title, day): later
            for title, found in days.items()
            if len(found) > 1
            for day, later in zip(sorted(found), sorted(found)[1:], strict=False)
        }
        self._titles = [chunk.title for chunk in chunks]
        self._starts = np.array([chunk.since or chunk.as_of for chunk in chunks], dtype="U10")
        self._ends = np.array(
            [
                chunk.until or followed.get((chunk.title, chunk.as_of), _NEVER)
                if chunk.kind != "case"
                else _NEVER
                for chunk in chunks
            ],
            dtype="U10",
        )
        self._decisions = np.array([chunk.kind == "case" for chunk in chunks], dtype=bool)

    def on(self, day: datetime.date) -> NDArray[np.bool_]:
        """bool by place: text in force on the day."""
        asked = day.isoformat()
        return (self._starts <= asked) & (asked < self._ends)

    def today(self, day: datetime.date) -> NDArray[np.bool_] | None:
        """bool by place: of each title the text in force on `day`, else the first to come.

        None where that is everything.
        """
        shown = self.on(day) | self._decisions
        if unborn := self._unborn(shown):
            first = np.array([unborn.get(title, "") for title in self._titles], dtype="U10")
            shown |= (self._starts <= first) & (first < self._ends) & (first != "")
        return None if bool(shown.all()) else shown

    def without(self, day: datetime.date) -> tuple[NDArray[np.bool_], dict[str, str]]:
        """The passages of titles without any text on the day, and each title's first day."""
        unborn = self._unborn(self.on(day))
        return np.array([title in unborn for title in self._titles], dtype=bool), unborn

    def _unborn(self, shown: NDArray[np.bool_]) -> dict[str, str]:
        """Title → first day, of titles none of whose passages is shown."""
        there = {title for title, one in zip(self._titles, shown.tolist(), strict=True) if one}
        first: dict[str, str] = {}
        for title, start in zip(self._titles, self._starts.tolist(), strict=True):
            if title not in there:
                first[title] = min(first.get(title, _NEVER), start)
        return first
