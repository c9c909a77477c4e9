"""Which passages a question may find, and which decisions may lead it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw.data.records import Question
from kofinlaw.rag.in_force import in_force

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.rag.index import Index
    from kofinlaw.rag.settings import RagSettings

# For a question: which passages it may find or be led by (bool, by place).
Allowed = Callable[[Question], "NDArray[Any]"]
# The day that each question asks about, or one for all; None: as the settings say.
Days = datetime.date | Sequence[datetime.date | None] | None


@dataclass(frozen=True)
class Scope:
    """Passages of one question (bool by place; None: all): which may be shown, which may vote."""

    shown: NDArray[Any] | None
    led_by: NDArray[Any] | None


class Scopes:
    """The scopes of questions over one index: kinds, days in force, and what the caller allows."""

    def __init__(self, index: Index, settings: RagSettings) -> None:
        self._index = index
        self._settings = settings
        self._days: dict[datetime.date, NDArray[Any]] = {}

    def of(
        self, questions: Sequence[Question], allowed: Allowed | None, as_of: Days
    ) -> list[Scope]:
        """The scope of each question."""
        if as_of is None or isinstance(as_of, datetime.date):
            days: list[datetime.date | None] = [as_of] * len(questions)
        else:
            days = list(as_of)
        out = []
        for question, day in zip(questions, days, strict=True):
            led = None if allowed is None else allowed(question)
            if (asked := day or self._settings.as_of) is not None:
                led = _both(led, self._in_force(asked))
            out.append(Scope(_both(led, self._of_kinds), led))
        return out

    def voters(self, scope: Scope) -> NDArray[Any]:
        """The decisions' passages that cite articles and may lead this question."""
        return self._citing if scope.led_by is None else self._citing & scope.led_by

    def _in_force(self, day: datetime.date) -> NDArray[Any]:
        if day not in self._days:
            self._days[day] = in_force(self._index.chunks, day)
        return self._days[day]

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
