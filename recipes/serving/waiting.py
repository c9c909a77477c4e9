"""Wait for a job together with its client: the job is withdrawn if the client leaves."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator

from starlette.requests import Request

from kofinlaw.recipes.serving.dispatch import BusyError, Dispatcher
from kofinlaw.recipes.serving.faults import FaultError, lost_or_refused
from kofinlaw.recipes.serving.jobs import Job

__all__ = ["Waiting"]

_POLL = 0.2  # seconds between two looks whether the client is still there


class Waiting:
    """A job of a request. It is withdrawn if its client leaves or waits longer than `seconds`.

    All methods raise FaultError: 499 for a client that left, 504 for a late answer, 503 for a lost
    engine or one that is started again, 400 and 500 for a refused request. Creating it raises 429
    if too many requests wait.

    Args:
        request: asked whether its client is still there.
        dispatcher: takes the job.
        job: what to answer.
        seconds: the longest wait.
        quiet: seconds after which a stream that has nothing new says so.
    """

    def __init__(
        self,
        request: Request,
        dispatcher: Dispatcher,
        job: Job,
        seconds: float,
        *,
        quiet: float = 10.0,
    ) -> None:
        self._dispatcher = dispatcher
        self._request, self._seconds, self._quiet = request, seconds, quiet
        self._end = time.monotonic() + seconds
        self._next = 0.0  # when to look for the client again
        self._news = asyncio.Event()
        self._text: str | None = None
        try:
            self._future = dispatcher.submit(job, self._take)
        except BusyError:
            message = "too many requests wait; try again"
            raise FaultError(429, message, "rate_limit_exceeded") from None
        self._future.add_done_callback(lambda _: self._news.set())

    def _take(self, text: str) -> None:
        self._text = text
        self._news.set()

    async def started(self) -> None:
        """Wait until there is a text or a result, or `quiet` seconds have passed."""
        await self._look(self._quiet)
        if self._future.done():
            self.now()

    async def texts(self) -> AsyncIterator[str | None]:
        """Yield the answer so far, again and again, until the result is there.

        None says that nothing was new for `quiet` seconds.
        """
        try:
            while True:
                await self._look(self._quiet)
                self._news.clear()
                done, text, self._text = self._future.done(), self._text, None
                if text is not None or not done:
                    yield text
                if done:
                    return
        finally:
            self._future.cancel()

    async def result(self) -> object:
        """Return the result when it is there."""
        try:
            while not self._future.done():
                self._news.clear()
                await self._look()
        finally:
            self._future.cancel()
        return self.now()

    def now(self) -> object:
        """Return the result that is there."""
        result = self._future.result()
        if fault := lost_or_refused(result):
            raise fault
        return result

    async def _look(self, most: float = math.inf) -> None:
        """Wait for a text or the result, at most so many seconds, and withdraw the job if nobody
        waits for it any more.
        """
        end = time.monotonic() + most
        try:
            while not self._future.done() and time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), min(_POLL, most))
                if time.monotonic() >= self._next:
                    self._next = time.monotonic() + _POLL
                    await self._check()
                if self._news.is_set():
                    return
        except BaseException:
            self._future.cancel()
            raise

    async def _check(self) -> None:
        if await self._request.is_disconnected():
            raise FaultError(499, "the client left", "client_left")
        if time.monotonic() > self._end and not self._future.done():
            late = f"no answer within {self._seconds:g} seconds"
            if self._dispatcher.loading:
                message = f"{late}: the engine is started again; try again"
                raise FaultError(503, message, "engine_starting")
            raise FaultError(504, late, "timeout")
