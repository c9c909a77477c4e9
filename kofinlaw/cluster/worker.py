"""What a worker process does with its job."""

from __future__ import annotations

import pickle
import traceback
from contextlib import ExitStack
from typing import Generic, TypeVar

from kofinlaw.cluster.jobs import Job
from kofinlaw.offline import guard, set_environment

__all__ = ["Prepared", "portable"]

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


def portable(error: BaseException) -> BaseException:
    """Return an error that another process can read, with the traceback of this one as a note."""
    error.add_note(f"in a worker process:\n{''.join(traceback.format_exception(error))}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
