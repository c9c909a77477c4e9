"""Show on standard error what is being loaded, and for how long."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["loading"]

_TICK = 1.0  # seconds between two updates of the line


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Show `loading WHAT …` and the seconds that it takes, on a terminal while it loads."""
    started, done = time.monotonic(), threading.Event()
    line = f"loading {what} …"
    live = sys.stderr.isatty()

    def tick() -> None:
        while not done.wait(_TICK):
            sys.stderr.write(f"\r{line} {time.monotonic() - started:.0f} s")
            sys.stderr.flush()

    sys.stderr.write(line if live else f"{line}\n")
    sys.stderr.flush()
    thread = threading.Thread(target=tick, daemon=True)
    if live:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if live:
            thread.join()
        seconds = time.monotonic() - started
        sys.stderr.write(f"\r{line} {seconds:.1f} s\n" if live else f"loaded in {seconds:.1f} s\n")
        sys.stderr.flush()
