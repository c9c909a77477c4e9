"""Which passages a question may find, and which decisions may lead it."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kofinlaw.rag.retrieve.in_force import Calendar
from kofinlaw.records import Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.settings import RagSettings

# For a question: which passages it may find or be led by (bool, by place).
Allowed = Callable[[Question], "NDArray[Any]"]
# The day that each question asks about, or one for all; None: as the settings say, or today;
# `any`: text of all days.
Days = datetime.date | Literal["any"] | Sequence[datetime.date | None] | None


@dataclass(frozen=True)
class Scope:
    """Passages of one question (bool by place; None: all): which may be shown, which may vote."""

    shown: NDArray[Any] | None
    led_by: NDArray[Any] | None


class Scopes:
    """The scopes of questions over one index: kinds, days in force, and what the caller allows.

    `today` is the day where neither a question nor the settings name one.
    """

    def __init__(self, index: Index, settings: RagSettings, today: datetime.date) -> None:
        self._index = index
        self._settings = settings
        self._today = today
        self._days: dict[datetime.date, NDArray[Any]] = {}

    def of(
        self, questions: Sequence[Question], allowed: Allowed | None, as_of: Days
    ) -> list[Scope]:
        """The scope of each question."""
        if as_of is None or isinstance(as_of, (datetime.date, str)):
            days: list[Any] = [as_of] * len(questions)
        else:
            days = list(as_of)
        out = []
        for question, day in zip(questions, days, strict=True):
            led = None if allowed is None else allowed(question)
            led = _both(led, None if day == "any" else self._of_day(day))
            out.append(Scope(_both(led, self._of_kinds), led))
        return out

    def voters(self, scope: Scope) -> NDArray[Any]:
        """The decisions' passages that cite articles and may lead this question."""
        return self._citing if scope.led_by is None else self._citing & scope.led_by

    def asked(self, day: datetime.date | None) -> datetime.date:
        """The day a question means that names `day`, or none."""
        return day or self._settings.as_of or self._today

    @property
    def fingerprint(self) -> str:
        """What of the index today hides, as hexadecimal; empty where that is nothing."""
        if self._settings.as_of is not None or (hidden := self._now) is None:
            return ""
        return hashlib.sha256(np.packbits(hidden).tobytes()).hexdigest()

    @cached_property
    def calendar(self) -> Calendar:
        """The days of the index's passages."""
        return Calendar(self._index.chunks)

    def _of_day(self, day: datetime.date | None) -> NDArray[Any] | None:
        asked = day or self._settings.as_of
        if asked is None:
            return self._now
        if asked not in self._days:
            self._days[asked] = self.calendar.on(asked)
        return self._days[asked]

    @cached_property
    def _now(self) -> NDArray[Any] | None:
        return self.calendar.today(self._today)

    @cached_property
    def _of_kinds(self) -> NDArray[Any] | None:
        kinds = self._settings.kinds
        if not kinds:
            return None
        return np.array([chunk.kind in kinds for chunk in self._index.chunks], dtype=bool)

    @cached_property
    def _citing(self) -> NDArray[Any]:
        mask = np.zeros(self._index.meta["chunks"], dtype=bool)
        mask[list(self._index.cited)] = True
        return mask


def _both(one: NDArray[Any] | None, other: NDArray[Any] | None) -> NDArray[Any] | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other
