"""Stop a server within a bound of seconds after SIGTERM or Ctrl+C, without a traceback."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

__all__ = ["GRACE", "StoppableServer", "quiet_config"]

GRACE = 8.0  # seconds; with the rest it is less than the 10 that `docker stop` waits
_REST = 1.0  # seconds to send the errors of requests that had no answer in time
_LOOK = 0.05  # seconds between two looks whether a second signal came
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def quiet_config(app: ASGIApp, *, most_requests: int | None = None) -> uvicorn.Config:
    """Return the settings that all servers of kofinlaw have in common: no log of requests, no name
    of the server in answers, and heads of at most 64 KiB.

    `most_requests` at a time are answered, more get the status 503; None: no limit.
    """
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=most_requests,
        h11_max_incomplete_event_size=65536,
    )


class StoppableServer(uvicorn.Server):
    """A uvicorn server that ends at most `grace` + 1 seconds after it was asked to stop.

    Requests under way have `grace` seconds. A second signal ends that time. Then `interrupt` is
    called, and connections that are still open one second later are closed.

    Args:
        config: of uvicorn, without `timeout_graceful_shutdown`.
        grace: seconds for requests under way.
        interrupt: makes the engine fail the requests it has; called from a signal handler.
        ready: called when the server listens.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        grace: float,
        interrupt: Callable[[], None],
        ready: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._grace, self._interrupt, self._ready = grace, interrupt, ready
        self._hurry = False

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM inside the block, also before the server listens.

        In another thread than the main one signals are left alone.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in _SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal. uvicorn's own handler raises it again at the end; this one does not."""
        self._hurry = self.should_exit
        self.should_exit = True
        if self._hurry or not self.started:
            self._interrupt()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and end within the bound."""
        watch = asyncio.create_task(self._end_in_time())
        try:
            await super().shutdown(sockets)
        finally:
            watch.cancel()

    async def _end_in_time(self) -> None:
        end = time.monotonic() + self._grace
        while not self._hurry and time.monotonic() < end:
            await asyncio.sleep(_LOOK)
        self._interrupt()
        await asyncio.sleep(_REST)
        # Connections are cut off now. uvicorn would log a traceback for each of them.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.force_exit = True
