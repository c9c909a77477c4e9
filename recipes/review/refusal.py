"""Define the error that refuses a verdict, with a code that the page says in its language."""

from __future__ import annotations

from collections.abc import Mapping

from kofinlaw import UserError

__all__ = ["RefusedError"]


class RefusedError(UserError):
    """A verdict that is refused; `code` names the reason and `values` what it is about."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str,
        remedy: str = "",
        values: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.code = code
        self.values = dict(values or {})
