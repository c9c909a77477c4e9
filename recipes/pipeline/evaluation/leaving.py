"""End a process at once when its work is written: at the deadline, or behind the last line.

Python's own exit waits for threads and frees models and the GPU, which takes seconds. A command
that has written everything does not need that. Only a process that kofinlaw's command line started
may end so; a program that calls kofinlaw keeps running.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["GRACE", "Leaving", "leaving"]

GRACE = 0.5  # seconds behind the deadline for the last writes


class Leaving:
    """How this process ends: `own` once the command line has started it, `at_once` if asked for."""

    def __init__(self, end: Callable[[int], object] = os._exit) -> None:
        self.own = False
        self.at_once = False
        self._end = end

    def leave(self, code: int) -> None:
        """Write out both output streams and end the process, if it is our own."""
        if not self.own:
            return
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                continue
        self._end(code)

    @contextmanager
    def at_deadline(self, seconds: float | None, line: str) -> Iterator[None]:
        """End the process with code 0 if the block still runs `GRACE` after so many seconds.

        `line` is printed then. The block must keep a complete submission on the disk. None: no
        deadline.
        """
        if seconds is None or not self.own:
            yield
            return

        def over() -> None:
            with suppress(OSError, ValueError):  # nobody reads it, or it cannot be encoded
                sys.stdout.write(line + "\n")
            self.leave(0)

        timer = threading.Timer(max(0.0, seconds) + GRACE, over)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


leaving = Leaving()
