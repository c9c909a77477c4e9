"""Collect waiting requests into batches for the worker, with a limit on how many may wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kofinlaw import UserError
from kofinlaw.recipes.serving.chat_request import MOST_EMBEDDED
from kofinlaw.recipes.serving.jobs import Embed, Job, Refused
from kofinlaw.recipes.serving.worker import Worker, WorkerLostError

__all__ = ["BusyError", "Dispatcher"]

_IDLE = 0.5  # seconds between two looks at an idle worker
_GATHER = 0.01  # seconds to wait for companions of the first request of a batch


class BusyError(Exception):
    """As many requests wait as may wait."""


def _embedded(job: Job) -> int:
    """Return how many characters of a job are embedded."""
    return sum(map(len, job.texts)) if isinstance(job, Embed) else 0


@dataclass
class _Waiting:
    job: Job
    future: asyncio.Future[object]
    text: Callable[[str], None] | None


class Dispatcher:
    """The queue in front of a worker. A job whose caller is gone is left out of the next batch.

    A worker that ended is started again at once, also while no request waits.

    Args:
        worker: runs the batches.
        most: how many requests may wait.
        batch: how many requests one batch holds.
    """

    def __init__(self, worker: Worker, *, most: int = 256, batch: int = 16) -> None:
        self._worker, self._most, self._batch = worker, most, batch
        self._queue: deque[_Waiting] = deque()
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.batches = 0

    @property
    def waiting(self) -> int:
        """How many requests wait for a batch and are not withdrawn."""
        return sum(not one.future.done() for one in self._queue)

    @property
    def loading(self) -> bool:
        """Whether the worker is started again and not ready."""
        return self._worker.loading or self._worker.lost

    def start(self) -> None:
        """Start to take requests, in the running event loop."""
        self._task = asyncio.create_task(self._loop())

    async def stop(self) -> None:
        """Stop: a running batch is given up."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for one in self._queue:
            one.future.cancel()
        await asyncio.to_thread(self._worker.stop)

    def submit(self, job: Job, text: Callable[[str], None] | None = None) -> asyncio.Future[object]:
        """Return the future result of a job; cancel it to withdraw the job.

        `text` is called in the event loop with the answer as far as it is generated, if the engine
        reports it. A batch is interrupted once all of its jobs are withdrawn. Raises BusyError.
        """
        if len(self._queue) >= self._most:
            self._queue = deque(one for one in self._queue if not one.future.done())
        if len(self._queue) >= self._most:
            raise BusyError
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(job, future, text))
        self._awake.set()
        return future

    async def _loop(self) -> None:
        while True:
            await self._work_comes()
            await asyncio.sleep(_GATHER)
            if batch := self._next_batch():
                await self._answer(batch)

    def _next_batch(self) -> list[_Waiting]:
        """Take the next requests of the queue, at most `MOST_EMBEDDED` characters to embed: a batch
        that is late ends the engine, so large requests may not add up in one.
        """
        batch: list[_Waiting] = []
        embedded = 0
        while self._queue and len(batch) < self._batch:
            size = _embedded(self._queue[0].job)
            if embedded and embedded + size > MOST_EMBEDDED:
                break
            one = self._queue.popleft()
            if not one.future.done():
                batch.append(one)
                embedded += size
        if not self._queue:
            self._awake.clear()
        return batch

    async def _work_comes(self) -> None:
        """Wait for a request; start a worker that ended meanwhile again, once."""
        tried = False
        while not self._awake.is_set():
            if self._worker.lost and not tried:
                tried = True  # a run that does not load is tried again with the next request
                with contextlib.suppress(WorkerLostError, UserError, OSError):
                    await asyncio.to_thread(self._worker.revive)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), _IDLE)

    async def _answer(self, batch: list[_Waiting]) -> None:
        self.batches += 1
        results: list[object]
        loop = asyncio.get_running_loop()

        def text(row: int, so_far: str) -> None:
            if (wanted := batch[row].text) is not None:
                loop.call_soon_threadsafe(wanted, so_far)

        def wanted() -> bool:
            return any(not one.future.done() for one in batch)

        try:
            jobs = [one.job for one in batch]
            results = await asyncio.to_thread(self._worker.run, jobs, text=text, wanted=wanted)
        except (WorkerLostError, UserError) as error:
            lost = error if isinstance(error, WorkerLostError) else WorkerLostError(str(error))
            results = [lost] * len(batch)
        except Exception as error:
            results = [Refused(type(error).__name__, fault=True)] * len(batch)
        for one, result in zip(batch, results, strict=True):
            if not one.future.done():
                one.future.set_result(result)
