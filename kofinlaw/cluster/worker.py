"""What a worker process does with its job."""

from __future__ import annotations

import pickle
import traceback
from contextlib import ExitStack
from typing import Generic, TypeVar

from kofinlaw.cluster.jobs import Job
from kofinlaw.offline import guard, set_environment

__all__ = ["Prepared", "is_of_a_worker", "portable"]

_NOTE = "in a worker process:"

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


class Prepared(Generic[S, T, R]):
    """A job in a worker process; it is prepared for the first item."""

    def __init__(self, job: Job[S, T, R], *, offline: bool) -> None:
        self._job = job
        self._offline = offline
        self._stack = ExitStack()
        self._state: list[S] = []

    def work(self, item: T) -> R:
        """Return the result of an item. Raises what the job raises."""
        set_environment(offline=self._offline)
        with guard(offline=self._offline):
            if not self._state:
                self._state.append(self._stack.enter_context(self._job.prepare()))
            return self._job.work(self._state[0], item)

    def answer(self, item: T) -> bytes:
        """Return the pickled (True, result) or (False, error); a result that cannot be pickled is
        an error of the work, not a death.
        """
        try:
            return pickle.dumps((True, self.work(item)))
        except BaseException as error:
            return pickle.dumps((False, portable(error)))


def is_of_a_worker(error: BaseException) -> bool:
    """Return whether the work raised this error, and not what lies between the processes."""
    return any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ()))


def portable(error: BaseException) -> BaseException:
    """Return an error that another process can read, with the traceback of this one as a note."""
    note = f"{_NOTE}\n{''.join(traceback.format_exception(error))}"
    error.add_note(note)
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        plain = RuntimeError(f"{type(error).__name__}: {error}")
        plain.add_note(note)
        return plain
    return error
