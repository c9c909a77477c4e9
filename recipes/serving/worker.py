"""Run the engine in a process of its own, so that a crash or a hang ends no server.

The process takes one batch at a time. It is started again after it died or was stopped for time.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError

if TYPE_CHECKING:
    from kofinlaw.recipes.api import Limits, OpenRun

__all__ = ["Ask", "Complete", "Embed", "Job", "Refused", "Worker", "WorkerLostError"]


@dataclass(frozen=True)
class Ask:
    """A question for the index, on a day; `max_tokens` lowers the recipe's limit."""

    question: str
    as_of: date | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Complete:
    """A dialogue to continue without evidence."""

    messages: tuple[dict[str, str], ...]
    limits: Limits


@dataclass(frozen=True)
class Embed:
    """Texts for the run's embedder, read as queries."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """Why one job has no result. `fault` says that kofinlaw failed, and not the request."""

    message: str
    fault: bool = False


Job = Ask | Complete | Embed


class WorkerLostError(Exception):
    """The process ended, or was stopped because a batch took too long (`late`)."""

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


class Worker:
    """A process with the loaded run. Use it from one thread at a time.

    Args:
        folder: the run's folder.
        trust: do not check that the files of finished stages are unchanged.
        batch_seconds: a batch that takes longer is stopped with its process.
    """

    def __init__(self, folder: Path, *, trust: bool = False, batch_seconds: float = 300.0) -> None:
        self._folder, self._trust, self._limit = folder, trust, batch_seconds
        self._pipe: Connection | None = None
        self.pid: int | None = None

    def start(self) -> None:
        """Start the process and load the run. Raises UserError as `OpenRun.load` does."""
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other, self._folder, self._trust), daemon=True
        )
        self._process.start()
        self.pid = self._process.pid
        other.close()
        try:
            ready = self._pipe.recv()
        except EOFError:
            self.stop()
            raise WorkerLostError("the engine's process ended while it loaded the run") from None
        if isinstance(ready, Exception):
            self.stop()
            raise ready

    def run(self, jobs: Sequence[Job]) -> list[object]:
        """Return one result per job, in order.

        Raises WorkerLostError if the process ends or takes too long; the next call starts another.
        """
        if self._pipe is None or not self._process.is_alive():
            self.stop()
            self.start()
        assert self._pipe is not None
        try:
            self._pipe.send(list(jobs))
            if not self._pipe.poll(self._limit):
                self.stop()
                raise WorkerLostError(f"a batch took more than {self._limit:g} seconds", late=True)
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            self.stop()
            raise WorkerLostError("the engine's process ended") from error

    def stop(self) -> None:
        """End the process; safe to call twice."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
            self._process.kill()
            self._process.join()


def _serve(pipe: Connection, folder: Path, trust: bool) -> None:
    """Load the run and answer batches until the pipe closes."""
    from kofinlaw.recipes.api import open_run

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server, which closes the pipe
    try:
        opened = open_run(folder, trust=trust)
        opened.load()
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
        pipe.send(_batch(opened, jobs))


def _batch(opened: OpenRun, jobs: Sequence[Job]) -> list[object]:
    """Return the results of jobs, with one call of the engine for each kind and limit."""
    out: list[object] = [None] * len(jobs)
    groups: dict[tuple[type, int | None], list[int]] = {}
    for row, job in enumerate(jobs):
        limit = job.max_tokens if isinstance(job, Ask) else None
        groups.setdefault((type(job), limit), []).append(row)
    for rows in groups.values():
        try:
            results = _results(opened, [jobs[row] for row in rows])
        except Exception:  # find the job that is wrong; the others get their results
            results = [_alone(opened, jobs[row]) for row in rows]
        for row, result in zip(rows, results, strict=True):
            out[row] = result
    return out


def _alone(opened: OpenRun, job: Job) -> object:
    try:
        return _results(opened, [job])[0]
    except UserError as error:
        return Refused(str(error))
    except Exception as error:
        return Refused(f"{type(error).__name__} in the engine", fault=True)


def _results(opened: OpenRun, jobs: Sequence[Job]) -> Sequence[object]:
    asked = [job for job in jobs if isinstance(job, Ask)]
    if asked:
        pairs = [(job.question, job.as_of) for job in asked]
        return opened.ask_many(pairs, max_tokens=asked[0].max_tokens)
    chats = [job for job in jobs if isinstance(job, Complete)]
    if chats:
        return opened.complete([job.messages for job in chats], [job.limits for job in chats])
    return [_vectors(opened, job.texts) for job in jobs if isinstance(job, Embed)]


def _vectors(opened: OpenRun, texts: Sequence[str]) -> list[list[float]]:
    from kofinlaw.models.embedders import open_embedder

    name = opened.recipe.rag.embedder
    if name is None:
        raise UserError("this run searches without an embedder", where="rag.embedder")
    embedder = open_embedder(name, offline=opened.recipe.offline)
    return [[float(value) for value in row] for row in embedder.encode_queries(texts)]
