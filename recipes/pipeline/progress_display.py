"""Show the progress of a stage: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.files import write_json
from kofinlaw.texts import terminal_text

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = [
    "PLAIN_SECONDS",
    "PROGRESS_FILE",
    "SAVE_SECONDS",
    "BarProgress",
    "PlainProgress",
    "saved_progress",
    "stage_progress",
]

PLAIN_SECONDS = 10.0  # between two plain lines of one phase
PROGRESS_FILE = "progress.json"
SAVE_SECONDS = 2.0  # between two writes of PROGRESS_FILE


def _figures(info: dict[str, object]) -> str:
    return "  ".join(f"{name} {value}" for name, value in info.items())


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _count(done: int, total: int | None) -> str:
    return f"{done:,}/{total:,}" if total else f"{done:,}"


def saved_progress(progress: Progress, path: Path) -> Progress:
    """Return the same progress, also written to `path` every two seconds
    for `kofinlaw report serve`.
    """
    saved_at = float("-inf")

    def show_and_save(phase: str, done: int, total: int | None = None, **info: object) -> None:
        nonlocal saved_at
        progress(phase, done, total, **info)
        now = time.monotonic()
        if now - saved_at >= SAVE_SECONDS:
            saved_at = now
            value = {"phase": phase, "done": done, "total": total, "figures": _figures(info)}
            with contextlib.suppress(UserError, OSError):
                write_json(path, value)

    return show_and_save


class _Tracked:
    """The last call of a progress, so that an interruption can say what was running."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self._last = ""

    def track(self, phase: str, done: int, total: int | None) -> None:
        """Keep what is running now."""
        self._last = f" · {phase} {_count(done, total)}"

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Show nothing meanwhile, so that a question to the user stays visible."""
        yield

    def note(self, error: BaseException | None) -> None:
        """Add a note with what was running to a KeyboardInterrupt."""
        if isinstance(error, KeyboardInterrupt):
            error.add_note(f"{self.stage}{self._last}")


class PlainProgress(_Tracked):
    """A line when a phase starts or ends and every ten seconds, for logs and pipes."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self._phase = ""
        self._started = self._printed = 0.0

    def __call__(self, phase: str, done: int, total: int | None = None, **info: object) -> None:
        """Print if the phase starts or ends, or if ten seconds have passed."""
        self.track(phase, done, total)
        now = time.monotonic()
        new = phase != self._phase
        if new:
            self._phase, self._started = phase, now
        finished = total is not None and done >= total
        if not new and not finished and now - self._printed < PLAIN_SECONDS:
            return
        self._printed = now
        elapsed = now - self._started
        rate = f"  {done / elapsed:.1f}/s" if elapsed > 1 and done else ""
        left = ""
        if total and done and not finished and elapsed > 1:
            left = f"  {_clock(elapsed / done * (total - done))} left"
        line = f"  {self.stage} · {phase} {_count(done, total)}{rate}{left}  {_figures(info)}"
        sys.stderr.write(terminal_text(line.rstrip()) + "\n")
        sys.stderr.flush()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.note(error)


class BarProgress(_Tracked):
    """A bar by rich with the count, the time left and the stage's own figures."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
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
            TextColumn("{task.fields[figures]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, phase: str, done: int, total: int | None = None, **info: object) -> None:
        """Move the bar of this phase."""
        self.track(phase, done, total)
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total, figures="")
        self._bars.update(
            self._tasks[phase], completed=done, total=total, figures=terminal_text(_figures(info))
        )

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bars off the screen meanwhile: they would be drawn over a question."""
        self._bars.stop()
        try:
            yield
        finally:
            self._bars.start()

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
        self.note(error)


def stage_progress(stage: str) -> BarProgress | PlainProgress:
    """Return a bar if standard error is a terminal, else plain lines."""
    return BarProgress(stage) if sys.stderr.isatty() else PlainProgress(stage)
