"""Decide which passages were in force on a day, and which are shown where no day is given."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from kofinlaw.rag.arrays import Mask
from kofinlaw.records import Chunk

__all__ = ["Calendar"]

_NEVER = "9999-99-99"
_ISO_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


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

    @cached_property
    def day_numbers(self) -> tuple[list[int], list[int]] | None:
        """First day in force and day of the next text of each passage, as numbers (20250731).

        The numbers are in the same order as the days. A day without a text is 0, and a text that
        no other replaces ends on 99999999. None if the corpus has a day that is not an ISO day.
        """
        days = [*self._starts.tolist(), *self._ends.tolist()]
        if not all(_ISO_DAY.fullmatch(day) for day in days if day):
            return None
        numbers = [int(day.replace("-", "").ljust(8, "0") or 0) for day in days]
        return numbers[: len(self._titles)], numbers[len(self._titles) :]

    def in_force(self, day: datetime.date) -> Mask:
        """Return the passages that are in force on the day."""
        asked = day.isoformat()
        return (self._starts <= asked) & (asked < self._ends)

    def in_force_or_decided(self, day: datetime.date) -> Mask:
        """Return the passages that are in force on the day, and all court decisions."""
        return self.in_force(day) | self._decisions

    def shown_on(self, day: datetime.date) -> Mask | None:
        """Return the passages shown where no day is asked for and `day` is today; None:
        all of them.

        Of each title the text in force, or the first one where the act is yet to come into force;
        court decisions always.
        """
        shown = self.in_force_or_decided(day)
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
