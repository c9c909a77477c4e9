"""Share work among processes of this machine."""

from __future__ import annotations

import pickle
import signal
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from kofinlaw.cluster.jobs import Job, Pool
from kofinlaw.cluster.scheduling import Died, free_gib, schedule
from kofinlaw.cluster.worker import Prepared

__all__ = ["LocalProcesses"]

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

_END_SECONDS = 5.0  # for a killed process to disappear


class LocalProcesses:
    """Workers that are up to `count` processes of this machine."""

    def __init__(self, count: int, *, offline: bool) -> None:
        self._count = count
        self._offline = offline

    @contextmanager
    def start(self, job: Job[S, T, R]) -> Iterator[Pool[T, R]]:
        """Return the processes of a job; they are killed at the end of the context.

        There are fewer than `count` if the free memory is less than `job.gib` for each.
        """
        children: _Children[T, R] = _Children(job, self._count, offline=self._offline)
        try:
            yield _LocalPool(children, job.name)
        finally:
            children.close()


class _LocalPool(Generic[T, R]):
    """The pool of one job."""

    def __init__(self, children: _Children[T, R], name: str) -> None:
        self._children = children
        self._name = name

    def results(
        self, items: Iterable[T], *, ahead: int | None = None
    ) -> Generator[tuple[int, R], None, None]:
        """Yield (number of the item, result) as results are finished."""
        return schedule(self._children, items, self._name, ahead)

    def release(self) -> None:
        """End the processes, so that their memory is free."""
        self._children.close()


@dataclass
class _Child:
    process: BaseProcess
    pipe: Connection
    busy: bool = False


class _Children(Generic[T, R]):
    """Child processes, each with a pipe. The first item of a child starts it."""

    def __init__(self, job: Job[S, T, R], count: int, *, offline: bool) -> None:
        self._job = job
        self._count = count
        self._offline = offline
        self._context = get_context("spawn")
        self._children: list[_Child] = []

    def free(self) -> int:
        if not self._children:
            fits = free_gib() / self._job.gib if self._job.gib else self._count
            self._count = max(1, min(self._count, int(fits)))
        return self._count - sum(child.busy for child in self._children)

    def give(self, item: T) -> object:
        idle = self._idle() or self._child()
        with suppress(OSError):  # it died while it was idle: `take` reports it
            idle.pipe.send_bytes(pickle.dumps(item))
        idle.busy = True
        return idle.pipe

    def _idle(self) -> _Child | None:
        """Return a child without work; a child that died meanwhile is removed."""
        for child in [child for child in self._children if not child.busy]:
            if child.process.is_alive():
                return child
            self._children.remove(child)
            _end(child)
        return None

    def wait(self) -> list[object]:
        return list(wait([child.pipe for child in self._children if child.busy]))

    def take(self, handle: object) -> R:
        child = next(child for child in self._children if child.pipe is handle)
        try:
            answer = child.pipe.recv_bytes()
        except (EOFError, OSError):
            self._children.remove(child)
            _end(child)
            code = child.process.exitcode or 0
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise Died(how) from None
        child.busy = False
        ok, result = pickle.loads(answer)
        if not ok:
            raise result
        return result

    def close(self) -> None:
        for child in self._children:
            child.process.kill()
        for child in self._children:
            _end(child)
        self._children.clear()

    def _child(self) -> _Child:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(theirs, self._job, self._offline), daemon=True
        )
        process.start()
        theirs.close()
        child = _Child(process, ours)
        self._children.append(child)
        return child


def _end(child: _Child) -> None:
    child.pipe.close()
    child.process.join(_END_SECONDS)


def _serve(pipe: Connection, job: Job[S, T, R], offline: bool) -> None:
    """Work on items until the pipe ends; Ctrl+C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepared = Prepared(job, offline=offline)
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(prepared.answer(pickle.loads(pipe.recv_bytes())))
