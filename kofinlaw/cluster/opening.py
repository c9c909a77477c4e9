"""Open the workers that a recipe names."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import Generic, TypeVar

from kofinlaw.cluster.address import Cluster, parse_cluster
from kofinlaw.cluster.jobs import HERE, Job, Pool, Workers

__all__ = ["open_workers"]

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def open_workers(cluster: str, *, offline: bool = True) -> Iterator[Workers]:
    """Return the workers that the recipe key `cluster` names.

    Ray is imported and started, or connected to, when the first item is given, and left at the end
    of the context.

    Args:
        cluster: As `parse_cluster` reads it.
        offline: Whether the run refuses connections to other machines.

    Raises ValueError for another text. The first item raises UserError as
    `ray_connection.connected` does.
    """
    named = parse_cluster(cluster)
    if named.kind == "local" and not named.processes:
        yield HERE
    elif named.kind == "local":
        from kofinlaw.cluster.process_pool import LocalProcesses

        yield LocalProcesses(named.processes, offline=offline)
    else:
        with ExitStack() as stack:
            yield _Lazy(named, stack, offline=offline)


class _Lazy:
    """Workers of a Ray cluster that is connected to when the first item is given."""

    def __init__(self, cluster: Cluster, stack: ExitStack, *, offline: bool) -> None:
        self._cluster = cluster
        self._stack = stack
        self._offline = offline
        self._opened: list[Workers] = []

    @contextmanager
    def start(self, job: Job[S, T, R]) -> Iterator[Pool[T, R]]:
        """Return the processes of a job."""
        with ExitStack() as stack:
            yield _LazyPool(lambda: stack.enter_context(self._connect().start(job)))

    def _connect(self) -> Workers:
        if not self._opened:
            from kofinlaw.cluster.ray_connection import connected
            from kofinlaw.cluster.same_code import code_mark

            ray = connected(self._cluster, offline=self._offline, code=code_mark())
            self._opened.append(self._stack.enter_context(ray))
        return self._opened[0]


class _LazyPool(Generic[T, R]):
    """A pool that is opened when the first item is given."""

    def __init__(self, open_pool: Callable[[], Pool[T, R]]) -> None:
        self._open = open_pool
        self._opened: list[Pool[T, R]] = []

    def results(
        self, items: Iterable[T], *, ahead: int | None = None
    ) -> Generator[tuple[int, R], None, None]:
        """Yield (number of the item, result) as results are finished."""
        waiting = iter(items)
        for first in waiting:
            if not self._opened:
                self._opened.append(self._open())
            yield from self._opened[0].results(chain((first,), waiting), ahead=ahead)

    def release(self) -> None:
        """End the processes if there are any."""
        for pool in self._opened:
            pool.release()
