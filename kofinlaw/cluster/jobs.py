"""Describe work that any process can do, and do it in this process.

A `Job` is prepared once in each process, for example by loading a model, and then does its work on
one item after another. `Workers` start processes for a job; the caller gives the items and takes
the results. The code of a stage is the same for every kind of workers, and so are its files: a
result may depend on its item and on the job, but on no other item and not on the process.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

__all__ = ["HERE", "Here", "Job", "Pool", "Workers", "in_order"]

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class Job(Generic[S, T, R]):
    """What every process of a pool does.

    `prepare` and `work` are sent to other processes: functions of modules, or
    `functools.partial` of them.

    Attributes:
        name: For errors.
        prepare: Opens what the work needs, once in each process.
        work: Returns the result of one item.
        gib: Memory that one process needs, in GiB; limits how many run at once.
        card: Whether each process takes a GPU of its own, where the cluster has GPUs.
    """

    name: str
    prepare: Callable[[], AbstractContextManager[S]]
    work: Callable[[S, T], R]
    gib: float = 1.0
    card: bool = False


class Pool(Protocol[T_contra, R_co]):
    """The processes of one job. They start with the first item."""

    def results(
        self, items: Iterable[T_contra], *, ahead: int | None = None
    ) -> Generator[tuple[int, R_co], None, None]:
        """Yield (number of the item, result) as results are finished.

        Args:
            items: Taken one by one, when a process is free.
            ahead: An item is not taken before the results of all items that are this many places
                before it were yielded. None: no limit.

        Raises what the work raises, and UserError if processes die again and again.
        """
        ...

    def release(self) -> None:
        """End processes that other jobs may need; the next item starts them again."""
        ...


class Workers(Protocol):
    """Starts processes for jobs."""

    def start(self, job: Job[S, T, R]) -> AbstractContextManager[Pool[T, R]]:
        """Return the processes of a job; leaving the context ends them."""
        ...


def in_order(pool: Pool[T, R], items: Iterable[T], *, ahead: int = 32) -> Iterator[R]:
    """Yield the results in the order of the items; at most `ahead` finished ones wait in memory."""
    waiting: dict[int, R] = {}
    following = 0
    with closing(pool.results(items, ahead=ahead)) as results:
        for number, result in results:
            waiting[number] = result
            while following in waiting:
                yield waiting.pop(following)
                following += 1


class _OwnPool(Generic[S, T, R]):
    """Does the work in this process, one item after another."""

    def __init__(self, job: Job[S, T, R], stack: ExitStack) -> None:
        self._job = job
        self._stack = stack
        self._state: list[S] = []

    def results(
        self, items: Iterable[T], *, ahead: int | None = None
    ) -> Generator[tuple[int, R], None, None]:
        """Yield the results in the order of the items."""
        for number, item in enumerate(items):
            if not self._state:
                self._state.append(self._stack.enter_context(self._job.prepare()))
            yield number, self._job.work(self._state[0], item)

    def release(self) -> None:
        """Keep what the job opened: this process does the work of every job."""


class Here:
    """Workers that are this process."""

    @contextmanager
    def start(self, job: Job[S, T, R]) -> Iterator[Pool[T, R]]:
        """Return a pool that is this process; what the job opened is closed at the end."""
        with ExitStack() as stack:
            yield _OwnPool(job, stack)


HERE = Here()
