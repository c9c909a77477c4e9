"""Give items to processes, take their results, and give the items of dead processes away again."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from kofinlaw import UserError

__all__ = ["ATTEMPTS", "Died", "Processes", "free_gib", "schedule"]

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

# An item whose process died is done again, at most this often in all.
ATTEMPTS = 5
# Below this share of free memory only one item at a time is in work.
LEAST_FREE = 0.05


class Died(Exception):  # noqa: N818 - an event
    """The process that worked on an item died; nothing is known about the result."""


class Processes(Protocol[T_contra, R_co]):
    """Running processes, each of which works on one item at a time.

    A handle identifies an item that was given to a process.
    """

    def free(self) -> int:
        """Return how many items can be given to processes now."""
        ...

    def give(self, item: T_contra) -> object:
        """Give an item to a free process; returns its handle."""
        ...

    def wait(self) -> list[object]:
        """Wait until an item is finished or a process becomes free; returns finished handles."""
        ...

    def take(self, handle: object) -> R_co:
        """Return a finished item's result. Raises Died, or what the work raised."""
        ...


def schedule(
    processes: Processes[T, R], items: Iterable[T], name: str, ahead: int | None
) -> Generator[tuple[int, R], None, None]:
    """Yield (number of the item, result) as results are finished; see `Pool.results`.

    Items of dead processes come before new ones. Raises UserError for an item whose process died
    `ATTEMPTS` times.
    """
    flow = _Flow(items, ahead)
    given: dict[object, tuple[int, T]] = {}
    attempts: dict[int, int] = {}
    while True:
        while processes.free() > 0 and (not given or not _memory_is_short()):
            found = flow.following()
            if found is None:
                break
            given[processes.give(found[1])] = found
        if not given and flow.ended:
            return
        for handle in processes.wait():
            number, item = given.pop(handle)
            try:
                result = processes.take(handle)
            except Died as death:
                attempts[number] = attempts.get(number, 0) + 1
                if attempts[number] == ATTEMPTS:
                    raise UserError(
                        f"{name}: the process that worked on item {number + 1} died "
                        f"{ATTEMPTS} times ({death})",
                        where="cluster",
                        remedy="SIGKILL usually means that memory ran out: use fewer processes; "
                        "run the same command again, finished work is kept",
                    ) from death
                flow.again(number, item)
                continue
            attempts.pop(number, None)
            flow.finish(number)
            yield number, result


class _Flow(Generic[T]):
    """The items that wait: those of dead processes first, then new ones as far as allowed."""

    def __init__(self, items: Iterable[T], ahead: int | None) -> None:
        self._items: Iterator[tuple[int, T]] = iter(enumerate(items))
        self._ahead = ahead
        self._returned: list[tuple[int, T]] = []
        self._unfinished: set[int] = set()
        self._taken = 0
        self._exhausted = False

    @property
    def ended(self) -> bool:
        """Whether no item waits and none will come."""
        return self._exhausted and not self._returned

    def following(self) -> tuple[int, T] | None:
        """Return the item that is due; None if none may be taken now."""
        if self._returned:
            self._returned.sort(key=lambda pair: -pair[0])
            return self._returned.pop()
        first = min(self._unfinished, default=self._taken)
        if self._exhausted or (self._ahead is not None and self._taken - first >= self._ahead):
            return None
        found = next(self._items, None)
        if found is None:
            self._exhausted = True
            return None
        self._taken += 1
        self._unfinished.add(found[0])
        return found

    def again(self, number: int, item: T) -> None:
        """Put an item back whose process died."""
        self._returned.append((number, item))

    def finish(self, number: int) -> None:
        """Note that an item's result was taken."""
        self._unfinished.discard(number)


def free_gib() -> float:
    """Return the available memory of this machine in GiB; infinity where it does not say."""
    return _memory("MemAvailable")


def _memory_is_short() -> bool:
    """Return whether this machine has little free memory; False where it does not say."""
    free = free_gib()
    return free < LEAST_FREE * _memory("MemTotal") if free < math.inf else False


def _memory(row: str) -> float:
    try:
        with open("/proc/meminfo", encoding="ascii") as handle:
            rows = dict(line.split(":", 1) for line in handle)
        return int(rows[row].split()[0]) / 2**20
    except (OSError, KeyError, ValueError, IndexError):
        return math.inf
