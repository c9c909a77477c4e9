"""The interface through which long work reports its progress."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """How long work reports: the phase, records done, records in all, figures to show."""

    def __call__(self, phase: str, done: int, total: int | None = None, **info: object) -> None:
        """Show that `done` of `total` records of `phase` are through."""


def silent(phase: str, done: int, total: int | None = None, **info: object) -> None:
    """A Progress that shows nothing."""
