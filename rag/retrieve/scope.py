"""Decide which passages a question may find, and which court decisions may vote on it."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from kofinlaw.data.law.supplements import asks_for_supplements, is_supplement
from kofinlaw.rag.arrays import Mask
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.in_force import Calendar
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question

__all__ = ["Allowed", "Days", "Scope", "Scopes"]

# For a question: the passages that it may find or that may vote.
Allowed = Callable[[Question], Mask]
# The day that each question asks about, or one for all. None: by the settings, else today;
# `any`: texts of all days.
Days = datetime.date | Literal["any"] | Sequence[datetime.date | None] | None


@dataclass(frozen=True)
class Scope:
    """The passages that one question may find.

    `shown` are the passages that it may show (None: all), `voters` the passages of court decisions
    that may vote on it.
    """

    shown: Mask | None
    voters: Mask | None


class Scopes:
    """The scopes of questions over one index: kinds, days in force, and what the caller allows.

    `today` is the day where neither a question nor the settings name one.
    """

    def __init__(self, index: Index, settings: RagSettings, today: datetime.date) -> None:
        self._index = index
        self._settings = settings
        self._today = today
        self._by_day: dict[datetime.date, Mask] = {}

    def of(
        self, questions: Sequence[Question], allowed: Allowed | None, as_of: Days
    ) -> list[Scope]:
        """Return the scope of each question."""
        days: Sequence[datetime.date | Literal["any"] | None]
        if as_of is None or isinstance(as_of, (datetime.date, str)):
            days = [as_of] * len(questions)
        else:
            days = as_of
        out = []
        for question, day in zip(questions, days, strict=True):
            found = None if allowed is None else allowed(question)
            found = _both(found, None if day == "any" else self._of_day(day))
            if not asks_for_supplements((question.question, *question.options)):
                found = _both(found, self._articles)
            voters = _both(found, self._citing) if self._settings.case_votes else None
            out.append(Scope(_both(found, self._of_kinds), voters))
        return out

    @property
    def fingerprint(self) -> str:
        """Hexadecimal hash of the passages that are shown today; empty if all are shown."""
        if self._settings.as_of is not None or (shown := self._shown_today) is None:
            return ""
        return hashlib.sha256(np.packbits(shown).tobytes()).hexdigest()

    @cached_property
    def calendar(self) -> Calendar:
        """The days of the index's passages."""
        return Calendar(self._index.chunks)

    def _of_day(self, day: datetime.date | None) -> Mask | None:
        asked = day or self._settings.as_of
        if asked is None:
            return self._shown_today
        if asked not in self._by_day:
            self._by_day[asked] = self.calendar.in_force(asked)
        return self._by_day[asked]

    @cached_property
    def _shown_today(self) -> Mask | None:
        return self.calendar.shown_on(self._today)

    @cached_property
    def _of_kinds(self) -> Mask | None:
        kinds = self._settings.kinds
        if not kinds:
            return None
        return np.array([chunk.kind in kinds for chunk in self._index.chunks], dtype=bool)

    @cached_property
    def _articles(self) -> Mask | None:
        """The passages that are not 부칙 of a law or rule; None if there are none."""
        mask = np.array([not is_supplement(chunk) for chunk in self._index.chunks], dtype=bool)
        return None if bool(mask.all()) else mask

    @cached_property
    def _citing(self) -> Mask:
        """The passages of court decisions that cite articles."""
        mask = np.zeros(self._index.meta["chunks"], dtype=bool)
        mask[list(self._index.cited)] = True
        return mask


def _both(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other
