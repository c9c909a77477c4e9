"""Calls that may hang, crash or run out of memory, made so that the caller keeps its deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Result = TypeVar("Result", covariant=True)


class Overdue(Exception):  # noqa: N818 - a state of the call, not a fault
    """The call did not come back within its limit; it may still be running."""


class Pending(Protocol[Result]):
    """A call that was started."""

    def done(self) -> bool:
        """Whether its result is there."""
        ...

    def result(self, limit: float) -> Result:
        """What the function returned or raised; Overdue after `limit` more seconds."""
        ...


class Caller(Protocol):
    """Runs functions one after the other, and waits for each no longer than it is told."""

    def __call__(self, function: Callable[[], T], limit: float) -> T:
        """What the function returns or raises; Overdue after `limit` seconds."""
        ...

    def start(self, function: Callable[[], T]) -> Pending[T]:
        """Run the function after those started before it, while the caller does other things."""
        ...

    def beside(self) -> Caller:
        """Another one, whose calls do not wait for this one's."""
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
        return self.start(function).result(limit)

    def start(self, function: Callable[[], T]) -> Pending[T]:
        """As `Caller`."""
        if self._tasks is None:
            self._tasks = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(self._tasks,), daemon=True).start()
        results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._tasks.put((function, results))
        return _Started(self, self._tasks, results)

    def beside(self) -> ThreadCaller:
        """As `Caller`."""
        return ThreadCaller(self._beat)

    def wait(
        self, tasks: queue.SimpleQueue[Any], results: queue.SimpleQueue[Any], limit: float
    ) -> Any:
        """The (whether it went well, value) that arrives; leaves the thread behind if none does."""
        end = time.monotonic() + limit
        while True:
            try:
                return results.get(timeout=max(0.0, min(1.0, end - time.monotonic())))
            except queue.Empty:
                if self._beat is not None:
                    self._beat()
                if time.monotonic() >= end:
                    if self._tasks is tasks:
                        self._tasks = None
                    raise Overdue(f"no answer within {limit:.0f} s") from None


@dataclass(frozen=True)
class _Started:
    caller: ThreadCaller
    tasks: queue.SimpleQueue[Any]
    results: queue.SimpleQueue[Any]

    def done(self) -> bool:
        return not self.results.empty()

    def result(self, limit: float) -> Any:
        good, value = self.caller.wait(self.tasks, self.results, limit)
        if good:
            return value
        raise value


def _serve(tasks: queue.SimpleQueue[Any]) -> None:
    while True:
        function, results = tasks.get()
        try:
            results.put((True, function()))
        except BaseException as error:  # handed to the thread that waits
            results.put((False, error))
