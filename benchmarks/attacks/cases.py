"""Run one case after another in child processes, each with a time limit, and say how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.files import explained_error

__all__ = ["Case", "Ending", "run_cases", "table"]

WAITING = 10  # times the limit of processor time that a case may take by the clock
MEMORY_GIB = 6.0  # that a child may take in addition to what it starts with


@dataclass(frozen=True)
class Case:
    """A name and what is tried. `work` returns a short text, or raises."""

    name: str
    work: Callable[[], str]


@dataclass(frozen=True)
class Ending:
    """How a case ended.

    `how` is `done`, `refused` (one UserError), `fault` (another error), `hang` (over the limit of
    processor seconds) or `killed` (the process died). `seconds` are of the processor.
    """

    name: str
    how: str
    detail: str
    seconds: float

    @property
    def bad(self) -> bool:
        """Whether a user would see a traceback, wait without end, or lose the process."""
        return self.how not in ("done", "refused")


def run_cases(cases: Sequence[Case], seconds: float) -> list[Ending]:
    """Return how each case ended, in order. After a hang or a death the next child continues.

    `seconds` is the processor time that a case may take, so that other programs make no hang.
    """
    endings: list[Ending] = []
    while len(endings) < len(cases):
        endings += _one_child(cases[len(endings) :], seconds)
    return endings


def _one_child(cases: Sequence[Case], seconds: float) -> list[Ending]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _work_in_child(cases, reading, writing, seconds)
    os.close(writing)
    endings: list[Ending] = []
    with os.fdopen(reading, "rb") as lines:
        while len(endings) < len(cases):
            name, started = cases[len(endings)].name, time.monotonic()
            ready, _, _ = select.select([lines], [], [], WAITING * seconds)
            line = lines.readline() if ready else b""
            took = time.monotonic() - started
            if not line.endswith(b"\n"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL if not ready else 0)
                _, status = os.waitpid(child, 0)
                over = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF
                how = "hang" if over or not ready else "killed"
                return [*endings, Ending(name, how, f"after {took:.1f} s", took)]
            how, detail, own = json.loads(line)
            endings.append(Ending(name, how, detail, own))
    os.waitpid(child, 0)
    return endings


def _work_in_child(cases: Sequence[Case], reading: int, writing: int, seconds: float) -> None:
    """Work through the cases and leave the process; nothing of the parent's is cleaned up."""
    os.close(reading)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with contextlib.suppress(ValueError, OSError):
        most = _address_space() or used
        limit = most + int(MEMORY_GIB * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    for case in cases:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends the process
        started = time.process_time()
        try:
            how, detail = "done", case.work()
        except BaseException as error:
            known = explained_error(error) if isinstance(error, Exception) else None
            how = "refused" if known is not None else "fault"
            detail = str(known) if known is not None else f"{type(error).__name__}: {error}"
        own = time.process_time() - started
        line = json.dumps([how, detail[:300].encode("utf-8", "replace").decode(), own])
        os.write(writing, line.encode() + b"\n")
    os._exit(0)


def _address_space() -> int:
    """Return the bytes of address space that this process uses; 0 if it is unknown."""
    try:
        with open("/proc/self/statm", encoding="ascii") as handle:
            return int(handle.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def table(endings: Sequence[Ending]) -> Iterator[str]:
    """Yield one line for each case that ended badly."""
    for one in endings:
        if one.bad:
            yield f"  {one.how:<8} {one.seconds:6.1f} s  {one.name}: {one.detail[:160]}"


if sys.platform == "win32":
    raise SystemExit("the attacks need fork: run them on Linux or macOS")
