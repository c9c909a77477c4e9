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
from kofinlaw.rag.index.admission import (
    EVERYTHING,
    Admission,
    CitesArticles,
    Condition,
    InForce,
    NoSupplement,
    OfKind,
)
from kofinlaw.rag.index.calendar import Calendar
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question

__all__ = ["Allowed", "Days", "Scope", "Scopes"]

# For a question: the passages that it may find or that may vote.
Allowed = Callable[[Question], Mask]
# The day that each question asks about, or one for all. None: by the settings, else today;
# `any`: texts of all days.
Days = datetime.date | Literal["any"] | Sequence[datetime.date | None] | None

_MOST_SINGLE_ROWS = 5000  # rows that one condition may name


@dataclass(frozen=True)
class Scope:
    """The passages that one question may find.

    `passages` are those that it may show, `decisions` the passages of court decisions that may
    vote on it.
    """

    passages: Admission = EVERYTHING
    decisions: Admission = EVERYTHING

    @property
    def shown(self) -> Mask | None:
        """The passages that it may show; None: all."""
        return self.passages.mask


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
        kinds = self._settings.kinds
        out = []
        for question, day in zip(questions, days, strict=True):
            found = EVERYTHING.limited(None if allowed is None else allowed(question))
            if day != "any":
                found = self._of_day(found, day or self._settings.as_of)
            if not asks_for_supplements((question.question, *question.options)):
                found = found.limited(self._articles, NoSupplement())
            decisions = found
            if self._settings.case_votes:
                decisions = found.limited(self._citing, CitesArticles())
            out.append(Scope(found.limited(self._of_kinds, OfKind(kinds)), decisions))
        return out

    @property
    def fingerprint(self) -> str:
        """Hexadecimal hash of the passages that are shown today; empty if all are shown."""
        if self._settings.as_of is not None or (shown := self._shown_today) is None:
            return ""
        return hashlib.sha256(np.packbits(shown).tobytes()).hexdigest()

    @property
    def calendar(self) -> Calendar:
        """The days of the index's passages."""
        return self._index.calendar

    def _of_day(self, found: Admission, day: datetime.date | None) -> Admission:
        """Limit `found` to the text in force on the day; None: to what is shown today."""
        if day is None:
            return found.limited(self._shown_today, self._shown_by)
        if day not in self._by_day:
            self._by_day[day] = self.calendar.in_force(day)
        return found.limited(
            self._by_day[day], None if self.calendar.day_numbers is None else InForce(day)
        )

    @cached_property
    def _shown_today(self) -> Mask | None:
        return self.calendar.shown_on(self._today)

    @cached_property
    def _shown_by(self) -> Condition | None:
        """The condition of what is shown today; None where it would name too many single rows."""
        shown = self._shown_today
        if shown is None or self.calendar.day_numbers is None:
            return None
        also = np.flatnonzero(shown & ~self.calendar.in_force_or_decided(self._today))
        if len(also) > _MOST_SINGLE_ROWS:
            return None
        return InForce(self._today, decisions=True, also=tuple(also.tolist()))

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
