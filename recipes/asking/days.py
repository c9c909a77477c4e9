"""Read the day that a user types: `2026-01-01`, `2026.01.01`, `2026. 1. 1.` or `2026년 1월 1일`."""

from __future__ import annotations

import re
from datetime import date

from kofinlaw import UserError

__all__ = ["typed_day"]

_DAY = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{4}\s*\.\s*\d{1,2}\s*\.\s*\d{1,2}\s*\.?"
    r"|\d{4}\s*년\s*\d{1,2}\s*월\s*\d{1,2}\s*일"
)
_NUMBERS = re.compile(r"(\d{4})\D*?(\d{1,2})\D*?(\d{1,2})\D*")


def typed_day(text: str, where: str = "--as-of") -> date:
    """Return the day that a text names.

    Args:
        text: The text as typed.
        where: The option or command that the text belongs to, for the error.

    Raises UserError, with the form to write, for any other form and for a day that does not exist.
    """
    bare = text.strip()
    numbers = _NUMBERS.fullmatch(bare)
    try:
        day = date(*map(int, numbers.groups())) if numbers else None
    except ValueError:
        day = None
    if day is not None and _DAY.fullmatch(bare):
        return day
    remedy = f"write {day.isoformat()}" if day else "write a day that exists, as 2026-01-01"
    raise UserError(f"{text!r} is not a day", where=where, remedy=remedy)
