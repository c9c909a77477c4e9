"""Share work among the processes of a Ray cluster: one actor for each process.

Ray only starts processes, moves items and results, and reports deaths. Which item is done again is
decided in `scheduling`, as for processes of this machine. Ray's own retries are off, so that no
item is done twice without a reason.
"""

from __future__ import annotations

import pickle
import socket
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from types import ModuleType
from typing import Any, Generic, TypeAlias, TypeVar

from kofinlaw import UserError
from kofinlaw.cluster.jobs import Job, Pool
from kofinlaw.cluster.scheduling import ATTEMPTS, Died, schedule
from kofinlaw.cluster.worker import Prepared, is_of_a_worker

__all__ = ["RayProcesses"]

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

START_SECONDS = 300.0  # for the first process of a job, and after the last one died
_LOOK_SECONDS = 1.0  # how often new and lost processes are looked at
_GIB = 2**30
_Handle: TypeAlias = Any  # of an actor; Ray makes its class when it runs


class _Actor(Generic[S, T, R]):
    """The process of a job in the cluster."""

    def __init__(self, job: Job[S, T, R], offline: bool) -> None:
        self._prepared = Prepared(job, offline=offline)

    def code(self) -> tuple[str, str]:
        """Return this machine's name and the hash of its code."""
        from kofinlaw.cluster.same_code import code_mark

        return socket.gethostname(), code_mark()

    def work(self, item: T) -> bytes:
        """Return what `Prepared.answer` returns."""
        return self._prepared.answer(item)


class RayProcesses:
    """Workers that are actors of a Ray cluster."""

    def __init__(self, ray: ModuleType, *, offline: bool, code: str) -> None:
        self._ray = ray
        self._offline = offline
        self._code = code

    @contextmanager
    def start(self, job: Job[S, T, R]) -> Iterator[Pool[T, R]]:
        """Return the processes of a job; they end with the context.

        Each takes one CPU and `job.gib` of memory, and a GPU if the job asks for one and the
        cluster has some. Ray starts no more of them than the machines have room for.
        """
        actors: _Actors[T, R] = _Actors(self._ray, job, self._code, offline=self._offline)
        try:
            yield _RayPool(actors, job.name)
        finally:
            actors.close()


@contextmanager
def _lost_connection() -> Iterator[None]:
    """Explain the error of a cluster that is gone."""
    import grpc

    try:
        yield
    except (ConnectionError, grpc.RpcError) as error:
        if is_of_a_worker(error):  # of a teacher's server, for example
            raise
        raise UserError(
            f"the connection to the cluster was lost: {' '.join(str(error).split())[:200]}",
            where="cluster",
            remedy="start the cluster and run the same command again: finished work is kept",
        ) from error


class _RayPool(Generic[T, R]):
    """The pool of one job."""

    def __init__(self, actors: _Actors[T, R], name: str) -> None:
        self._actors = actors
        self._name = name

    def results(
        self, items: Iterable[T], *, ahead: int | None = None
    ) -> Generator[tuple[int, R], None, None]:
        """Yield (number of the item, result) as results are finished."""
        self._actors.expect()
        with closing(schedule(self._actors, items, self._name, ahead)) as found:
            while True:
                with _lost_connection():
                    result = next(found, None)
                if result is None:
                    return
                yield result

    def release(self) -> None:
        """End the actors, so that the cluster has their CPUs and GPUs for others."""
        self._actors.close()


class _Actors(Generic[T, R]):
    """The actors of a job: those that are starting, those that are free, those that work."""

    def __init__(self, ray: ModuleType, job: Job[S, T, R], code: str, *, offline: bool) -> None:
        self._ray = ray
        self._job = job
        self._code = code
        self._offline = offline
        self._sent: object = None
        self._starting: dict[object, _Handle] = {}  # reference of its code -> actor
        self._known: set[_Handle] = set()  # of these, the ones that had started before
        self._free: list[_Handle] = []
        self._busy: dict[object, _Handle] = {}  # reference of its result -> actor
        self._looked = 0.0
        self._alone_since = time.monotonic()
        self._failed_starts = 0

    def expect(self) -> None:
        """Count the time without any actor from now on."""
        self._alone_since = time.monotonic()

    def free(self) -> int:
        self._look()
        return len(self._free)

    def give(self, item: T) -> object:
        actor = self._free.pop()
        reference = actor.work.remote(item)
        self._busy[reference] = actor
        return reference

    def wait(self) -> list[object]:
        waiting = [*self._busy, *self._starting]
        finished, _ = self._ray.wait(waiting, timeout=_LOOK_SECONDS) if waiting else ([], [])
        for reference in finished:
            if reference in self._starting:
                self._welcome(reference)
        return [reference for reference in finished if reference in self._busy]

    def take(self, handle: object) -> R:
        actor = self._busy.pop(handle)
        try:
            ok, result = pickle.loads(self._ray.get(handle))
        except self._ray.exceptions.RayError as error:
            self._end(actor)
            self._look_at_the_free()
            raise Died(" ".join(str(error).split())[:200]) from error
        self._free.append(actor)
        if not ok:
            raise result
        return result

    def _look_at_the_free(self) -> None:
        """Ask the free actors again whether they live: one that died counts for no item."""
        for actor in self._free:
            self._starting[actor.code.remote()] = actor
            self._known.add(actor)
        self._free.clear()

    def close(self) -> None:
        for actor in (*self._free, *self._busy.values(), *self._starting.values()):
            self._end(actor)
        self._free.clear()
        self._busy.clear()
        self._starting.clear()
        self._looked = 0.0

    def _look(self) -> None:
        """Start actors for the room that the cluster has now."""
        now = time.monotonic()
        known = len(self._free) + len(self._busy)
        if known:
            self._alone_since = now
        if now - self._looked < _LOOK_SECONDS and self._looked:
            return
        self._looked = now
        wanted = self._room() - known - len(self._starting)
        for _ in range(wanted):
            self._new_actor()
        if not known and now - self._alone_since > START_SECONDS:
            raise UserError(
                f"{self._job.name}: no machine of the cluster has started a process within "
                f"{START_SECONDS:.0f} s",
                where="cluster",
                remedy=f"each needs 1 CPU{' and 1 GPU' * self._on_cards()} and "
                f"{self._job.gib:g} GiB of memory; see `ray status`; run the same command again",
            )

    def _room(self) -> int:
        total = self._ray.cluster_resources()
        most = int(total.get("CPU", 0))
        if self._on_cards():
            most = min(most, int(total.get("GPU", 0)))
        if self._job.gib:
            most = min(most, max(1, int(total.get("memory", 0) / (self._job.gib * _GIB))))
        return most

    def _on_cards(self) -> bool:
        return self._job.card and self._ray.cluster_resources().get("GPU", 0) >= 1

    def _new_actor(self) -> None:
        if self._sent is None:
            self._sent = self._ray.put(self._job)
        kind = self._ray.remote(
            num_cpus=1,
            num_gpus=1 if self._on_cards() else 0,
            memory=int(self._job.gib * _GIB),
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        )(_Actor)
        actor = kind.remote(self._sent, self._offline)
        self._starting[actor.code.remote()] = actor

    def _welcome(self, reference: object) -> None:
        """Take an actor that has started; one with other code is an error."""
        actor = self._starting.pop(reference)
        try:
            machine, code = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._end(actor)
            if actor in self._known:
                self._known.remove(actor)
                return
            self._failed_starts += 1
            if self._failed_starts == ATTEMPTS:
                raise UserError(
                    f"{self._job.name}: processes of the cluster do not start: "
                    f"{' '.join(str(error).split())[:400]}",
                    where="cluster",
                    remedy="see Ray's logs on its machines; run the same command again",
                ) from error
            return
        self._failed_starts = 0
        self._known.discard(actor)
        if code != self._code:
            raise UserError(
                f"machine {machine} of the cluster has another kofinlaw than this one",
                where="cluster",
                remedy="install the same version there and start `ray` again",
            )
        self._free.append(actor)

    def _end(self, actor: _Handle) -> None:
        with suppress(Exception):  # it is gone already
            self._ray.kill(actor)
