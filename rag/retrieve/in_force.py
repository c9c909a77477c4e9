"""Name the acts that a question is about and that have no text on its day."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AbsentAct"]


@dataclass(frozen=True)
class AbsentAct:
    """An act that a question is about and that has no text on the day; its first is of `first`."""

    title: str
    first: str
