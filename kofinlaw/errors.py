"""The error that a user can fix: what failed, where, and what to do."""

from __future__ import annotations

__all__ = ["UserError"]


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
