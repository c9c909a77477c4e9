"""Define UserError: an error that the user can fix, with its location and the remedy."""

from __future__ import annotations

__all__ = ["UserError"]


class UserError(Exception):
    """An error that the user can fix. The command line shows it without a traceback.

    Args:
        message: What failed.
        where: Where it failed: `file:line`, a record id or a recipe key.
        remedy: What the user can do about it.
    """

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  → {self.remedy}" if self.remedy else head
