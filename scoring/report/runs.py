"""List the runs of a folder, and read how far each of them is."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kofinlaw.files import stage_folders
from kofinlaw.tolerant_files import finite_number, read_json

__all__ = [
    "LOG_BYTES",
    "LOG_LINES",
    "RunState",
    "StageState",
    "integer",
    "is_running",
    "list_runs",
    "log_end",
    "run_state",
]

_PARTIAL = re.compile(r"\A\.(?P<stage>.+)\.partial\Z")
LOG_LINES = 12
LOG_BYTES = 8000


@dataclass(frozen=True, slots=True)
class StageState:
    """The state of one stage.

    `status` is complete, running, stopped or failed; `seconds` is the time so far. `phase`, `done`
    of `total` (None if unknown), `figures` and the end of the log describe an unfinished stage.
    """

    name: str
    status: str
    seconds: float | None
    phase: str
    done: int | None
    total: int | None
    figures: str
    log: str


@dataclass(frozen=True, slots=True)
class RunState:
    """A run: the name of its folder, whether a process writes it, its stages in order of time."""

    name: str
    running: bool
    stages: tuple[StageState, ...]
    has_report: bool
    has_scores: bool


def list_runs(root: Path) -> list[str]:
    """Return the names of the folders in `root` that hold a run, newest first, without links."""
    found = []
    for path in root.iterdir():
        if path.is_symlink() or not path.is_dir() or path.name.startswith("."):
            continue
        if (path / "recipe.yaml").is_file() or any(path.glob("*/stage.json")):
            found.append((path.stat().st_mtime, path.name))
    return [name for _, name in sorted(found, reverse=True)]


def run_state(folder: Path) -> RunState:
    """Return the state of a run, from what its stages wrote."""
    running = is_running(folder)
    finished = stage_folders(folder)
    stages = []
    for path in sorted(folder.glob("*/stage.json"), key=lambda p: p.stat().st_mtime):
        match = _PARTIAL.match(path.parent.name)
        if match is None and path.parent not in finished:
            continue
        record = read_json(path) or {}
        name = match["stage"] if match else path.parent.name
        if match is None:
            status = "complete"
        elif record.get("status") == "failed":
            status = "failed"
        else:
            status = "running" if running else "stopped"
        progress = (read_json(path.parent / "progress.json") if match else None) or {}
        stages.append(
            StageState(
                name=name,
                status=status,
                seconds=finite_number(record.get("seconds")),
                phase=str(progress.get("phase") or ""),
                done=integer(progress.get("done")),
                total=integer(progress.get("total")),
                figures=str(progress.get("figures") or ""),
                log=log_end(path.parent / "log.txt") if match else "",
            )
        )
    return RunState(
        name=folder.name,
        running=running,
        stages=tuple(stages),
        has_report=(folder / "report" / "report.html").is_file(),
        has_scores=(folder / "score" / "scores.json").is_file(),
    )


def is_running(folder: Path) -> bool:
    """Return whether the process that the run's lock names is alive."""
    try:
        holder = int((folder / ".lock").read_text(encoding="utf-8").strip() or 0)
    except (OSError, ValueError):
        return False
    if holder <= 0:
        return False
    try:
        os.kill(holder, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def integer(value: object) -> int | None:
    """Return an integer; None for any other value, including booleans."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def log_end(path: Path) -> str:
    """Return the last lines of a log; empty without a log."""
    try:
        with open(path, "rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(0, size - LOG_BYTES))
            text = handle.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_LINES:])
