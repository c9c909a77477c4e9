"""Let a caller read texts while an engine generates them, and interrupt the generation.

The transformers engine reports after each step, llama.cpp after each token of a request without
log-probability. The other engines look for an interruption between calls only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kofinlaw.decoding import clean_text

__all__ = ["Follower", "InterruptedGenerationError", "current_follower", "followed_by"]

PAUSE = 0.05  # seconds between two reports


class InterruptedGenerationError(Exception):
    """The caller does not want the texts any more."""


class Follower:
    """Receives the clean texts of one call of `generate` while they grow. Threads may share it.

    Args:
        text: called with the number of a request and its text so far; None: texts are not wanted.
        stopped: asked between steps; after True the call ends with InterruptedGenerationError.
    """

    def __init__(
        self, *, stopped: Callable[[], bool], text: Callable[[int, str], None] | None = None
    ) -> None:
        self._text, self._stopped = text, stopped
        self._next = 0.0
        self._lock = threading.Lock()

    def step(self, texts: Callable[[], Iterable[tuple[int, str]]] = tuple) -> None:
        """Report texts, at most every 50 ms; engines call this after each step.

        `texts` returns the number of a request and its text so far. Raises
        InterruptedGenerationError if the caller stopped.
        """
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + PAUSE
            if self._stopped():
                raise InterruptedGenerationError
            if self._text is not None:
                for number, text in texts():
                    self._text(number, clean_text(text))


_current: ContextVar[Follower | None] = ContextVar("kofinlaw_follower", default=None)


def current_follower() -> Follower | None:
    """Return who follows this call, or None."""
    return _current.get()


@contextmanager
def followed_by(follower: Follower) -> Iterator[None]:
    """Let `follower` follow the engine's calls inside the block."""
    token = _current.set(follower)
    try:
        yield
    finally:
        _current.reset(token)
