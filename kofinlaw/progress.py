"""Define the interface through which long-running functions report their progress."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """A function that long-running work calls to report its progress."""

    def __call__(self, phase: str, done: int, total: int | None = None, **info: object) -> None:
        """Show that `done` of `total` records of `phase` are finished, with more figures."""


def silent(phase: str, done: int, total: int | None = None, **info: object) -> None:
    """Show nothing: the default Progress of every function. Raises nothing."""
