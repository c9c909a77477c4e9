"""One run in a folder, and an orderly end when the system asks for it."""

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
"""Exit code after SIGTERM: the state is saved, run again to go on (EX_TEMPFAIL of sysexits.h)."""


class Saved(SystemExit):
    """Raised after SIGTERM, once a checkpoint is written; exits with `EXIT_SAVED`."""

    def __init__(self, step: int) -> None:
        super().__init__(EXIT_SAVED)
        self.step = step


@contextmanager
def one_at_a_time(out: Path, *, holds: bool) -> Iterator[None]:
    """Hold the folder, where this process `holds` it for all; the kernel lets go at its end.

    Raises UserError where another run has it, or where the folder cannot be written.
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
                remedy="wait for it, or choose another folder",
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield
        path.unlink(missing_ok=True)


@contextmanager
def termination() -> Iterator[Callable[[], bool]]:
    """Tells whether SIGTERM came; outside the main thread nothing is caught."""
    came: list[int] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    except ValueError:
        yield lambda: False
        return
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)
