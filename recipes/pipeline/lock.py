"""Lock a run's folder, so that only one process writes it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import disk_error

__all__ = ["is_written", "run_lock"]


@contextlib.contextmanager
def run_lock(
    folder: Path, say: Callable[[str], None], *, option: str = "--runs DIR"
) -> Iterator[None]:
    """Hold `folder/.lock` while the block runs.

    `option` is what names another folder on the command line.

    The kernel frees the lock when its process ends in any way; the process id in the file is only
    information. A lock that a dead process left is taken over, and `say` is called with a line
    about it. Raises UserError if another living process holds the lock, or if the folder cannot
    be written.
    """
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = open(path, "a+", encoding="utf-8")
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(
            "a file lies where the run's folder would be",
            where=error.filename,
            remedy=f"choose another folder with {option}",
        ) from error
    except OSError as error:
        raise disk_error(error, folder) from error
    with handle:
        handle.seek(0)
        holder = handle.read().strip()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"another run (process {holder or 'unknown'}) is writing this folder",
                where=str(folder),
                remedy=f"wait until it ends, or name another folder with {option}",
            ) from error
        if holder:
            say(f"took over the lock of process {holder}, which no longer runs")
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)


def is_written(folder: Path) -> bool:
    """Return whether another living process is writing a run's folder, by the run's lock."""
    try:
        with open(folder / ".lock", encoding="utf-8") as handle:
            holder = handle.read().strip()
            if not holder or holder == str(os.getpid()):
                return False
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
