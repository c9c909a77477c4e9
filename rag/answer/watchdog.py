"""Run calls that may hang, crash or run out of memory, and keep the deadline meanwhile."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

__all__ = ["Caller", "Overdue", "Pending", "Result", "T", "ThreadCaller"]

T = TypeVar("T")
Result = TypeVar("Result", covariant=True)

_Tasks = queue.SimpleQueue[Callable[[], None]]


class Overdue(Exception):  # noqa: N818 - a state of the call, not a fault
    """The call did not return within its limit; it may still be running."""


class Pending(Protocol[Result]):
    """A call that was started."""

    def done(self) -> bool:
        """Return whether its result is available."""
        ...

    def result(self, limit: float) -> Result:
        """Return or raise the outcome of the function.

        Raises Overdue after `limit` more seconds.
        """
        ...


class Caller(Protocol):
    """Runs functions one after the other and waits for each at most a given time."""

    def __call__(self, function: Callable[[], T], limit: float) -> T:
        """Return or raise the outcome of the function; raises Overdue after `limit` seconds."""
        ...

    def start(self, function: Callable[[], T]) -> Pending[T]:
        """Run the function after those started before it, without waiting for it."""
        ...

    def separate(self) -> Caller:
        """Return another caller, whose calls do not wait for the calls of this one."""
        ...


class ThreadCaller:
    """Runs calls one after the other in its own thread.

    An overdue call keeps the thread, and the next call gets a new one: a model that hangs inside
    native code cannot be stopped from Python, only abandoned. `beat` is called about once a second
    while waiting.
    """

    def __init__(self, beat: Callable[[], None] | None = None) -> None:
        self._beat = beat
        self._tasks: _Tasks | None = None

    def __call__(self, function: Callable[[], T], limit: float) -> T:
        """See `Caller`."""
        return self.start(function).result(limit)

    def start(self, function: Callable[[], T]) -> Pending[T]:
        """See `Caller`."""
        if self._tasks is None:
            self._tasks = queue.SimpleQueue()
            threading.Thread(target=_run_tasks, args=(self._tasks,), daemon=True).start()
        call: _Call[T] = _Call(self, self._tasks, function)
        self._tasks.put(call.run)
        return call

    def separate(self) -> ThreadCaller:
        """See `Caller`."""
        return ThreadCaller(self._beat)

    def wait(self, tasks: _Tasks, outcomes: queue.SimpleQueue[T], limit: float) -> T:
        """Return the outcome that arrives in time; else abandons the thread and raises Overdue."""
        end = time.monotonic() + limit
        while True:
            try:
                return outcomes.get(timeout=max(0.0, min(1.0, end - time.monotonic())))
            except queue.Empty:
                if self._beat is not None:
                    self._beat()
                if time.monotonic() >= end:
                    if self._tasks is tasks:
                        self._tasks = None
                    raise Overdue(f"no answer within {limit:.0f} s") from None


@dataclass(frozen=True)
class _Returned(Generic[T]):
    value: T


@dataclass(frozen=True)
class _Raised:
    error: BaseException


class _Call(Generic[T]):
    """A call in the thread of `caller`."""

    def __init__(self, caller: ThreadCaller, tasks: _Tasks, function: Callable[[], T]) -> None:
        self._caller = caller
        self._tasks = tasks
        self._function = function
        self._outcomes: queue.SimpleQueue[_Returned[T] | _Raised] = queue.SimpleQueue()

    def run(self) -> None:
        """Run the function and keep what it returns or raises."""
        try:
            self._outcomes.put(_Returned(self._function()))
        except BaseException as error:  # delivered to the thread that waits
            self._outcomes.put(_Raised(error))

    def done(self) -> bool:
        """See `Pending`."""
        return not self._outcomes.empty()

    def result(self, limit: float) -> T:
        """See `Pending`."""
        outcome = self._caller.wait(self._tasks, self._outcomes, limit)
        if isinstance(outcome, _Raised):
            raise outcome.error
        return outcome.value


def _run_tasks(tasks: _Tasks) -> None:
    while True:
        tasks.get()()
