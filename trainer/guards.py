"""Allow one run per folder and catch SIGTERM so that a run can save before it ends."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import disk_error

EXIT_SAVED = 75
"""Exit code after SIGTERM: the state is saved, and the next run resumes (EX_TEMPFAIL, sysexits)."""


class Saved(SystemExit):
    """Raised after SIGTERM once a checkpoint is written; exits with `EXIT_SAVED`."""

    def __init__(self, step: int) -> None:
        super().__init__(EXIT_SAVED)
        self.step = step


@contextmanager
def exclusive_folder(out: Path, *, holds: bool) -> Iterator[None]:
    """Lock the folder `out` while the block runs, in the process that `holds` it for all.

    The kernel releases the lock when the process ends. Raises UserError if another run holds the
    folder or if the folder cannot be written.
    """
    if not holds:
        yield
        return
    path = out / ".lock"
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = open(path, "a+", encoding="utf-8")
    except OSError as error:
        raise disk_error(error, out) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            raise UserError(
                f"another run (process {handle.read().strip() or '?'}) trains in this folder",
                where=str(out),
                remedy="wait until it ends, or choose another folder",
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield
        path.unlink(missing_ok=True)


@contextmanager
def catch_sigterm() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether SIGTERM was received.

    Only the main thread can catch signals; elsewhere the function always returns False.
    """
    received: list[int] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    except ValueError:
        yield lambda: False
        return
    try:
        yield lambda: bool(received)
    finally:
        signal.signal(signal.SIGTERM, before)
