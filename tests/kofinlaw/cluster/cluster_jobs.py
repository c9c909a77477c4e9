"""Jobs that the tests give to other processes."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from kofinlaw import UserError


def triple(state: int, item: int) -> int:
    """The item times the state."""
    return state * item


def process(state: int, item: int) -> int:
    """The process that works."""
    return os.getpid()


def die_at(folder: str, deaths: int, state: int, item: int) -> int:
    """Kill this process at the item 3, as often as `deaths` says; else return the item."""
    if item == 3:
        for number in range(deaths):
            mark = Path(folder) / f"death-{number}"
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
    (Path(folder) / f"done-{item}-{os.getpid()}").touch()
    return item


def refuse(state: int, item: int) -> int:
    """Fail as user errors do."""
    raise UserError("this item is broken", where="file:3", remedy="fix it")


def call_out(state: int, item: int) -> int:
    """Connect to another machine."""
    socket.create_connection(("192.0.2.1", 80), timeout=1)
    return item


def function(state: int, item: int) -> object:
    """Return what no process can send to another."""
    return lambda: item


def lose_connection(state: int, item: int) -> int:
    """Fail as a teacher's server does that went away."""
    raise ConnectionError("the server went away")
