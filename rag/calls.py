"""Calls that may hang, crash or run out of memory, made so that the caller keeps its deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_MEMORY_WORDS = (
    "out of memory",
    "cublas_status_alloc_failed",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate",
)


class Overdue(Exception):  # noqa: N818 - a state of the call, not a fault
    """The call did not come back within its limit; it may still be running."""


class Caller(Protocol):
    """Runs a function and waits for it at most `limit` seconds (raises Overdue after that).

    What the function raises comes through.
    """

    def __call__(self, function: Callable[[], T], limit: float) -> T:
        """What the function returns."""
        ...


class ThreadCaller:
    """Runs calls one after the other in a thread of its own, which an overdue call keeps.

    The next call then gets a new thread: a model that hangs inside native code cannot be stopped
    from Python, only left behind. `beat` is called about once a second while waiting.
    """

    def __init__(self, beat: Callable[[], None] | None = None) -> None:
        self._beat = beat
        self._tasks: queue.SimpleQueue[Any] | None = None

    def __call__(self, function: Callable[[], T], limit: float) -> T:
        """As `Caller`."""
        if self._tasks is None:
            self._tasks = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(self._tasks,), daemon=True).start()
        results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._tasks.put((function, results))
        end = time.monotonic() + limit
        while True:
            try:
                ok, value = results.get(timeout=max(0.0, min(1.0, end - time.monotonic())))
                break
            except queue.Empty:
                if self._beat is not None:
                    self._beat()
                if time.monotonic() >= end:
                    self._tasks = None
                    raise Overdue(f"no answer within {limit:.0f} s") from None
        if ok:
            return value
        raise value


def _serve(tasks: queue.SimpleQueue[Any]) -> None:
    while True:
        function, results = tasks.get()
        try:
            results.put((True, function()))
        except BaseException as error:  # handed to the thread that waits
            results.put((False, error))


def out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch may help: torch, CUDA, cuBLAS and the CPU allocator say it apart."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return any(word in text for word in _MEMORY_WORDS)
