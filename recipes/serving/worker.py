"""Run the engine in a process of its own, so that a crash or a hang does not end the server.

The process takes one batch at a time. It is started again after it died or was stopped for time.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from kofinlaw import UserError
from kofinlaw.models.engines.following import InterruptedGenerationError
from kofinlaw.recipes.serving.jobs import Answering, Job, Refused

__all__ = ["Worker", "WorkerLostError"]

_LOOK = 0.2  # seconds between two looks whether the other side is still there
_SERVERS = (signal.SIGINT, signal.SIGTERM)
_STOP = "stop"  # sent to the process: nobody waits for its batch any more


@dataclass(frozen=True)
class _Text:
    """The answer of a job so far."""

    job: int
    text: str


class WorkerLostError(Exception):
    """The process ended, or was stopped because a batch took too long (`late`).

    `again` says that the next batch starts another process.
    """

    def __init__(self, message: str, *, late: bool = False, again: bool = True) -> None:
        super().__init__(message)
        self.late, self.again = late, again


class Worker:
    """A process with a loaded run. Batches of several threads run one after the other.

    Args:
        load: called in the process (so it is pickled); returns the function that answers batches.
        batch_seconds: a batch that takes longer is stopped with its process.
    """

    def __init__(self, load: Callable[[], Answering], *, batch_seconds: float = 300.0) -> None:
        self._load, self._limit = load, batch_seconds
        self._pipe: Connection | None = None
        self._process: BaseProcess | None = None
        self._lock = threading.Lock()  # a batch's messages must not mix with those of another
        self._ended = False
        self.loading = False  # whether a process is started and has not loaded the run
        self.pid: int | None = None

    def start(self) -> None:
        """Start the process and load the run.

        Raises UserError as `load` does, and WorkerLostError if the process ends or is interrupted.
        """
        with self._lock:
            self._start()

    @property
    def lost(self) -> bool:
        """Whether a process was started and has ended, and may be started again."""
        process = self._process
        return not self._ended and self.pid is not None and not (process and process.is_alive())

    def revive(self) -> None:
        """Start the process again if it ended. Raises as `start` does."""
        with self._lock:
            if self.lost:
                self._end()
                self._start()

    def _start(self) -> None:
        self.loading = True
        try:
            self._load_process()
        finally:
            self.loading = False

    def _load_process(self) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, self._load), daemon=True)
        # The process is not ended by a signal to the whole group before it has its own handlers.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SERVERS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.pid = self._process.pid
        other.close()
        try:
            while not self._pipe.poll(_LOOK):
                self._refuse_ended()
            ready = self._pipe.recv()
        except EOFError:
            self._end()
            self._refuse_ended()
            raise WorkerLostError("the engine's process ended while it loaded the run") from None
        if isinstance(ready, Exception):
            self._end()
            raise ready

    def _refuse_ended(self) -> None:
        if self._ended:
            self._end()
            raise WorkerLostError("the server stops", again=False)

    def run(
        self,
        jobs: Sequence[Job],
        *,
        text: Callable[[int, str], None] | None = None,
        wanted: Callable[[], bool] | None = None,
    ) -> list[object]:
        """Return one result per job, in order.

        Args:
            jobs: what to answer.
            text: called with the number of a job and its answer so far.
            wanted: asked while the batch runs; after False it is interrupted.

        Raises WorkerLostError if the process ends or takes too long; the next call starts another.
        """
        with self._lock:
            return self._run(jobs, text, wanted)

    def _run(
        self,
        jobs: Sequence[Job],
        text: Callable[[int, str], None] | None,
        wanted: Callable[[], bool] | None,
    ) -> list[object]:
        self._refuse_ended()
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self._end()
            self._start()
        assert self._pipe is not None
        end = time.monotonic() + self._limit
        try:
            self._pipe.send(list(jobs))
            while True:
                if self._pipe.poll(_LOOK):
                    got = self._pipe.recv()
                    if not isinstance(got, _Text):
                        return got
                    if text is not None:
                        text(got.job, got.text)
                if wanted is not None and not wanted():
                    self._pipe.send(_STOP)
                    wanted = None
                if time.monotonic() > end:
                    self._end()
                    message = f"a batch took more than {self._limit:g} seconds"
                    raise WorkerLostError(message, late=True)
        except (EOFError, OSError) as error:
            self._end()
            self._refuse_ended()
            raise WorkerLostError("the engine's process ended") from error

    def interrupt(self) -> None:
        """End the process at once and for good, also from a signal handler.

        A batch under way, and every later one, raises WorkerLostError.
        """
        self._ended = True
        process = self._process
        if process is not None and process.pid is not None:
            process.kill()

    def stop(self) -> None:
        """End the process for good; safe to call twice, and while another thread runs a batch."""
        self.interrupt()
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._pipe is not None and self._process is not None:
            self._pipe.close()
            self._pipe = None
            self._process.kill()
            self._process.join()
            self._process = None


def _serve(pipe: Connection, load: Callable[[], Answering]) -> None:
    """Load the run and answer batches until the pipe closes."""
    # Signals to the whole group are for the server, which closes the pipe. A handler, unlike
    # SIG_IGN, is not inherited by programs that the engine starts.
    for one in _SERVERS:
        signal.signal(one, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SERVERS)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    try:
        answer = load()
    except Exception as error:
        message = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        pipe.send(UserError(message))
        return
    pipe.send("ready")
    while True:
        try:
            jobs = pipe.recv()
        except EOFError:
            return
        if jobs == _STOP:  # of a batch that ended in the meantime
            continue
        try:
            results = answer(jobs, _PipeListener(pipe))
        except InterruptedGenerationError:
            results = [Refused("the client left") for _ in jobs]
        pipe.send(results)


class _PipeListener:
    """Sends texts to the server, and reads from it that nobody waits for the batch any more."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._stopped = pipe, False

    def text(self, job: int, text: str) -> None:
        self._pipe.send(_Text(job, text))

    def stopped(self) -> bool:
        if not self._stopped and self._pipe.poll(0):
            self._stopped = self._pipe.recv() == _STOP
        return self._stopped


def _follow(parent: int) -> None:
    """End this process, also in the middle of a batch, once the server is gone."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)
