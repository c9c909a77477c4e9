"""What a person sees while a stage works: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from kofinlaw import Progress, UserError
from kofinlaw.files import write_json

PLAIN_SECONDS = 10.0
NOTE = "progress.json"
NOTE_SECONDS = 2.0


def _figures(info: dict[str, object]) -> str:
    return "  ".join(f"{name} {value}" for name, value in info.items())


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def noted(progress: Progress, path: Path) -> Progress:
    """The same progress, also written to `path` now and then for `kofinlaw report serve`."""
    noted_at = float("-inf")

    def note(phase: str, done: int, total: int | None = None, **info: object) -> None:
        nonlocal noted_at
        progress(phase, done, total, **info)
        now = time.monotonic()
        if now - noted_at >= NOTE_SECONDS:
            noted_at = now
            value = {"phase": phase, "done": done, "total": total, "figures": _figures(info)}
            with contextlib.suppress(UserError, OSError):
                write_json(path, value)

    return note


class PlainProgress:
    """A line now and then, for logs and pipes."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self._phase = ""
        self._began = self._said = 0.0

    def __call__(self, phase: str, done: int, total: int | None = None, **info: object) -> None:
        """Print when the phase changes, ends, or ten seconds have passed."""
        now = time.monotonic()
        new = phase != self._phase
        if new:
            self._phase, self._began = phase, now
        finished = total is not None and done >= total
        if not new and not finished and now - self._said < PLAIN_SECONDS:
            return
        self._said = now
        elapsed = now - self._began
        count = f"{done:,}/{total:,}" if total else f"{done:,}"
        rate = f"  {done / elapsed:.1f}/s" if elapsed > 1 and done else ""
        left = ""
        if total and done and not finished and elapsed > 1:
            left = f"  {_clock(elapsed / done * (total - done))} left"
        line = f"  {self.stage} · {phase} {count}{rate}{left}  {_figures(info)}"
        sys.stderr.write(line.rstrip() + "\n")
        sys.stderr.flush()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        return None


class BarProgress:
    """rich's bar: count, rate, time left and the stage's own figures."""

    def __init__(self, stage: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._bars = Bars(
            SpinnerColumn(),
            TextColumn(f"[bold]{stage}[/] · {{task.description}}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __call__(self, phase: str, done: int, total: int | None = None, **info: object) -> None:
        """Move the phase's bar."""
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total, figures="")
        self._bars.update(self._tasks[phase], completed=done, total=total, figures=_figures(info))

    def __enter__(self) -> BarProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()


def stage_progress(stage: str) -> BarProgress | PlainProgress:
    """The progress for this terminal, or for no terminal."""
    return BarProgress(stage) if sys.stderr.isatty() else PlainProgress(stage)
