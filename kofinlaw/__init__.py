"""kofinlaw: build and prove Korean finance and law models on one card.

In: a recipe and a folder of documents. Out: a merged checkpoint, the proof that it
behaves like the model that was trained, its answers before a deadline, and a report.
The rooms are `data`, `models`, `augment`, `trainer`, `rag`, `scoring` and `recipes`.
"""

from __future__ import annotations

from typing import Protocol

__version__ = "0.1.0"

__all__ = ["Progress", "UserError", "__version__", "silent"]


class UserError(Exception):
    """A mistake the person at the keyboard can mend: shown without a traceback.

    `where` is `file:line`, a record id or a recipe key; `remedy` says what to do.
    """

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  → {self.remedy}" if self.remedy else head


class Progress(Protocol):
    """How long work reports: the phase, records done, records in all, figures to show."""

    def __call__(self, phase: str, done: int, total: int | None = None, **info: object) -> None:
        """Show that `done` of `total` records of `phase` are through."""


def silent(phase: str, done: int, total: int | None = None, **info: object) -> None:
    """A Progress that shows nothing."""
