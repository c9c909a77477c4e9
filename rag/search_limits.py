"""Tell a search how much time it has, and learn whether the local index had to answer.

Answering sets the limits of a search in the thread that runs it. A store that asks a server reads
them there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["SearchLimits", "current_limits", "limit_search"]


def _no_end() -> float:
    return float("inf")


@dataclass
class SearchLimits:
    """The limits of the searches for some questions that are being answered.

    `seconds_left` gives the seconds that a search may still take. A store sets `searched_locally`
    where the index folder was searched because the server did not answer.
    """

    seconds_left: Callable[[], float] = _no_end
    searched_locally: bool = False


_LIMITS: ContextVar[SearchLimits | None] = ContextVar("search_limits", default=None)


def current_limits() -> SearchLimits | None:
    """Return the limits of this thread's search; None outside of answering."""
    return _LIMITS.get()


@contextmanager
def limit_search(limits: SearchLimits) -> Iterator[SearchLimits]:
    """Search under these limits in this thread."""
    token = _LIMITS.set(limits)
    try:
        yield limits
    finally:
        _LIMITS.reset(token)
