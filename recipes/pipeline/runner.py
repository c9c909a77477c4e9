"""Run stages: skip what is complete, continue what was interrupted, never leave half a result.

A stage works in `.<stage>.partial/`, which is renamed to `<stage>/` when the stage is complete.
Its fingerprint covers its settings, the content of its inputs, the code that it uses and the
fingerprints of the stages before it. A stage is complete if its fingerprint is unchanged; file
times do not matter.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict

from kofinlaw import Progress, UserError, __version__
from kofinlaw.commands import stage_command
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import disk_error, leads_outside, sha256_file, write_json
from kofinlaw.models.machines import machine_name
from kofinlaw.recipes.pipeline.code_hash import ROOT_PACKAGE, code_sha256
from kofinlaw.recipes.pipeline.progress_display import PROGRESS_FILE, saved_progress, stage_progress
from kofinlaw.results import StageResult

__all__ = [
    "RECORD",
    "Outcome",
    "Resume",
    "Stage",
    "StageFailed",
    "StageRecord",
    "code_of",
    "fingerprint",
    "inputs_sha256",
    "is_complete",
    "log",
    "log_to",
    "peak_memory_gib",
    "read_record",
    "reset_peak_memory",
    "run_stage",
    "run_stages",
]

Resume = Literal["never", "always", "if-possible"]
RECORD = "stage.json"
log = logging.getLogger("kofinlaw")


class StageRecord(TypedDict, total=False):
    """A stage's `stage.json`; empty if the stage has not started.

    `seconds` are those of all attempts together, `counts` the figures that the stage returned,
    `machine` names the card or the processor that it ran on.
    """

    stage: str
    status: Literal["running", "failed", "complete"]
    fingerprint: str
    seconds: float
    peak_memory_gib: float | None
    machine: str
    version: str
    settings: Mapping[str, object]
    counts: dict[str, object]


class StageFailed(Exception):  # noqa: N818 - describes an event, not an error class of the library
    """A fault of kofinlaw in a stage; the traceback is in `log_path`."""

    def __init__(self, stage: str, log_path: Path, error: BaseException) -> None:
        super().__init__(f"stage {stage} failed: {type(error).__name__}: {error}")
        self.log_path = log_path


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    Args:
        name: Names the stage's folder.
        work: `work(out, progress)` writes into the folder `out` and returns the stage's figures.
        settings: The part of the recipe that the result depends on, as JSON values.
        inputs: Files and folders outside the run that it reads.
        packages: Every package whose code it can reach.
        modules: Full names of the modules of `recipes` whose code it can reach.
        after: Names of the earlier stages whose folders it reads.
    """

    name: str
    work: Callable[[Path, Progress], StageResult]
    settings: Mapping[str, object] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    packages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The action of the runner on a stage (run, resumed or skipped), and the stage's record."""

    stage: str
    how: Literal["ran", "resumed", "skipped"]
    record: StageRecord


def inputs_sha256(paths: Iterable[Path]) -> str:
    """Return the SHA-256 (hexadecimal) of the names and contents of files and folders,
    in sorted order.

    A file of a folder counts with its path in that folder. Hidden files do not count. A link that
    leads outside of the folder is not read: it counts with its target.
    """
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for item in files:
            parts = item.relative_to(path).parts or (item.name,)
            if path.is_dir() and any(part.startswith(".") for part in parts):
                continue
            digest.update("/".join(parts).encode("utf-8", "surrogateescape"))
            if path.is_dir() and leads_outside(item, path):
                digest.update(b"\0link " + os.fsencode(item.readlink()))
                continue
            with contextlib.suppress(OSError):
                digest.update(sha256_file(item).encode())
    return digest.hexdigest()


def fingerprint(stage: Stage, before: Mapping[str, str]) -> str:
    """Return the stage's fingerprint (SHA-256), given those of the earlier stages by name."""
    content = {
        "stage": stage.name,
        "version": __version__,
        "settings": stage.settings,
        "inputs": inputs_sha256(stage.inputs),
        "code": {name: code_sha256(name) for name in code_of(stage)},
        "before": {name: before[name] for name in stage.after},
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def is_complete(stages: Sequence[Stage], name: str, folder: Path) -> bool:
    """Return whether a run of these stages skips the stage `name`: it is complete and unchanged.

    Inputs are read only if the stage is complete. `resume="never"` runs it again in any case.
    """
    record = read_record(folder / name)
    if record.get("status") != "complete":
        return False
    fingerprints: dict[str, str] = {}
    for stage in stages:
        fingerprints[stage.name] = fingerprint(stage, fingerprints)
        if stage.name == name:
            break
    return record.get("fingerprint") == fingerprints.get(name)


def code_of(stage: Stage) -> tuple[str, ...]:
    """Return the packages and modules whose code the stage uses.

    Every stage uses the root package.
    """
    return (
        ROOT_PACKAGE,
        *(f"{ROOT_PACKAGE}.{package}" for package in stage.packages),
        *stage.modules,
    )


def read_record(folder: Path) -> StageRecord:
    """Return the `stage.json` of a stage's folder; empty if it is missing or broken."""
    try:
        record: StageRecord = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise_if_machine(error, folder / RECORD)
        return {}
    return record if isinstance(record, dict) else {}


def run_stages(
    stages: Sequence[Stage],
    folder: Path,
    *,
    resume: Resume = "if-possible",
    only: Sequence[str] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """Run stages in order in the run's folder.

    Args:
        stages: All stages of the run; a stage follows those that it reads.
        folder: The run's folder; every stage writes a folder below it.
        resume: `if-possible` continues an interrupted stage if its fingerprint is unchanged and
            starts it again otherwise; `always` raises UserError instead of starting again; `never`
            starts every stage again.
        only: Names of the stages to run. The stages that they read must be complete.
        say: Called with one line of text for each event.

    Returns what happened to each stage that was not left out by `only`. Raises UserError for a
    mistake that the user can fix, and StageFailed for a fault of kofinlaw.
    """
    fingerprints: dict[str, str] = {}
    outcomes = []
    for stage in stages:
        fingerprints[stage.name] = fingerprint(stage, fingerprints)
        if only is not None and stage.name not in only:
            continue
        for needed in stage.after:
            if read_record(folder / needed).get("status") != "complete":
                raise UserError(
                    f"stage {stage.name} reads stage {needed}, which is not complete",
                    where=str(folder),
                    remedy=f"run `{stage_command(needed, folder)}` first",
                )
        outcomes.append(run_stage(stage, folder, fingerprints[stage.name], resume, say))
    return outcomes


def run_stage(
    stage: Stage, folder: Path, mark: str, resume: Resume, say: Callable[[str], None]
) -> Outcome:
    """Run, continue or skip one stage; `mark` is its fingerprint. Raises as `run_stages` does."""
    final, partial = folder / stage.name, folder / f".{stage.name}.partial"
    _finish_rename(final, partial)
    complete = read_record(final)
    unchanged = complete.get("status") == "complete" and complete.get("fingerprint") == mark
    if unchanged and resume != "never":
        say(f"{stage.name}: already done, nothing changed")
        for line in _last_lines(complete)[:1]:
            say(f"{stage.name}: {line}")
        return Outcome(stage.name, "skipped", complete)
    earlier = read_record(partial)
    usable = earlier.get("fingerprint") == mark
    if resume == "always" and earlier and not usable:
        raise UserError(
            "this stage was started with other settings, inputs or code",
            where=str(partial),
            remedy="use --resume if-possible to start the stage again, or restore the settings",
        )
    try:
        if partial.exists() and (resume == "never" or not usable):
            say(f"{stage.name}: settings, inputs or code changed, starting again")
            shutil.rmtree(partial)
        resumed = partial.exists()
        partial.mkdir(parents=True, exist_ok=True)
        record: StageRecord = {
            **earlier,
            "stage": stage.name,
            "status": "running",
            "fingerprint": mark,
        }
        write_json(partial / RECORD, record)
    except OSError as error:
        raise disk_error(error, folder) from error
    say(
        f"{stage.name}: continuing where it was interrupted"
        if resumed
        else f"{stage.name}: working"
    )
    record = _work(stage, partial, record)
    _put_in_place(final, partial)
    warnings = record["counts"].get("card_warnings")
    if isinstance(warnings, int) and warnings:
        say(f"{stage.name}: {warnings} warning{'s' if warnings > 1 else ''}, in card.md")
    for line in _last_lines(record):
        say(f"{stage.name}: {line}")
    return Outcome(stage.name, "resumed" if resumed else "ran", record)


def _last_lines(record: StageRecord) -> list[str]:
    """Return the lines that the stage's figures hold for the end of its output."""
    lines = record.get("counts", {}).get("last_lines")
    return [str(line) for line in lines] if isinstance(lines, (list, tuple)) else []


def _work(stage: Stage, partial: Path, record: StageRecord) -> StageRecord:
    """Do the stage's work in `partial` and save its record there, also if the work stops early."""
    started = time.monotonic()
    earlier = float(record.get("seconds", 0.0))

    def interrupted() -> StageRecord:
        return {**record, "seconds": earlier + time.monotonic() - started}

    reset_peak_memory()
    with log_to(partial / "log.txt"), stage_progress(stage.name) as progress:
        try:
            result = stage.work(partial, saved_progress(progress, partial / PROGRESS_FILE))
            counts = result.to_record()
            (partial / PROGRESS_FILE).unlink(missing_ok=True)
        except (UserError, KeyboardInterrupt, SystemExit):
            _save_record(partial, interrupted())
            raise
        except Exception as error:
            log.error("%s", traceback.format_exc())
            explained = disk_error(error, partial)
            if isinstance(explained, UserError):
                _save_record(partial, interrupted())
                raise explained from error
            kept = interrupted() if isinstance(error, OSError) else {**record, "status": "failed"}
            _save_record(partial, kept)
            raise StageFailed(stage.name, partial / "log.txt", error) from error
    record = {
        **record,
        "status": "complete",
        "seconds": round(earlier + time.monotonic() - started, 2),
        "peak_memory_gib": peak_memory_gib(),
        "machine": machine_name(),
        "version": __version__,
        "settings": stage.settings,
        "counts": counts,
    }
    write_json(partial / RECORD, record)
    return record


def _save_record(partial: Path, record: StageRecord) -> None:
    """Save a record after an error; a second error while saving must not hide the first."""
    with contextlib.suppress(UserError, OSError):
        write_json(partial / RECORD, record)


def _put_in_place(final: Path, partial: Path) -> None:
    old = final.with_name(f".{final.name}.old")
    if final.exists():
        shutil.rmtree(old, ignore_errors=True)
        final.rename(old)
    partial.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _finish_rename(final: Path, partial: Path) -> None:
    """Finish what a kill between the two renames left: the complete folder gets its name."""
    if not final.exists() and read_record(partial).get("status") == "complete":
        _put_in_place(final, partial)
    old = final.with_name(f".{final.name}.old")
    if old.exists():
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(final)


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Send the logs of kofinlaw and of the libraries to a file while the block runs."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def reset_peak_memory() -> None:
    """Start a new measurement of peak memory (Linux: 5 in clear_refs resets VmHWM)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_gib() -> float | None:
    """Return the highest resident memory of this process since the last reset, in GiB;
    None if unknown.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 2**20, 3)
    return None
