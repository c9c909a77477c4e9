"""Run stages: skip what is complete, continue what was interrupted, never leave half a result.

A stage works in `.<stage>.partial/`, which is renamed to `<stage>/` when the stage is complete.
Its fingerprint covers its settings, the content of its inputs, the code that it uses and the
fingerprints of the stages before it. A stage is complete if its fingerprint is unchanged; file
times do not matter. `stage.json` holds size and SHA-256 of every file that the stage wrote. They
are compared before the stage is skipped and before another stage reads it.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kofinlaw import UserError, __version__
from kofinlaw.commands import stage_command
from kofinlaw.files import disk_error, set_aside
from kofinlaw.models.machines import machine_name
from kofinlaw.recipes.pipeline.integrity.checks import (
    Checks,
    StageState,
    changed_error,
    why_broken,
)
from kofinlaw.recipes.pipeline.integrity.fingerprints import (
    Stage,
    differences,
    fingerprint,
    made_from,
    plain_settings,
)
from kofinlaw.recipes.pipeline.integrity.stage_record import (
    RECORD,
    MadeFrom,
    StageRecord,
    passed_on,
    read_record,
    write_record,
)
from kofinlaw.recipes.pipeline.progress_display import PROGRESS_FILE, saved_progress, stage_progress

__all__ = [
    "Outcome",
    "Resume",
    "StageFailed",
    "log",
    "log_to",
    "peak_memory_gib",
    "reset_peak_memory",
    "run_stages",
]

Resume = Literal["never", "always", "if-possible"]
log = logging.getLogger("kofinlaw")


class StageFailed(Exception):  # noqa: N818 - describes an event, not an error class of the library
    """A fault of kofinlaw in a stage; the traceback is in `log_path`."""

    def __init__(self, stage: str, log_path: Path, error: BaseException) -> None:
        super().__init__(f"stage {stage} failed: {type(error).__name__}: {error}")
        self.log_path = log_path


@dataclass(frozen=True)
class Outcome:
    """The action of the runner on a stage (run, resumed or skipped), and the stage's record."""

    stage: str
    how: Literal["ran", "resumed", "skipped"]
    record: StageRecord


def run_stages(
    stages: Sequence[Stage],
    folder: Path,
    *,
    resume: Resume = "if-possible",
    only: Sequence[str] | None = None,
    again: Sequence[str] = (),
    trust: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """Run stages in order in the run's folder.

    Args:
        stages: All stages of the run; a stage follows those that it reads.
        folder: The run's folder; every stage writes a folder below it.
        resume: `if-possible` continues an interrupted stage if its fingerprint is unchanged and
            starts it again otherwise; `always` raises UserError instead of replacing work that was
            made from something else, finished or not; `never` starts every stage again.
        only: Names of the stages to run. The stages that they read must be complete.
        again: Names of stages to start again, also if they are complete.
        trust: Do not compare the files of finished stages with their records.
        say: Called with one line of text for each event.

    Returns what happened to each stage that was not left out by `only`. Raises UserError for a
    mistake that the user can fix, also for a file of a finished stage that changed, and StageFailed
    for a fault of kofinlaw.
    """
    checks = None if trust else Checks(folder, fresh=True)
    runner = _Runner(folder, resume, frozenset(again), checks, say)
    before: dict[str, str] = {}
    outcomes = []
    for stage in stages:
        parts = made_from(stage, before)
        mark = fingerprint(stage, before, parts)
        if only is not None and stage.name not in only:
            before[stage.name] = passed_on(read_record(folder / stage.name), mark)
            continue
        outcome = runner.run(stage, mark, parts)
        before[stage.name] = passed_on(outcome.record, mark)
        outcomes.append(outcome)
    return outcomes


@dataclass(frozen=True)
class _Runner:
    """Runs, continues or skips the stages of one run. Raises as `run_stages` does."""

    folder: Path
    resume: Resume
    again: frozenset[str]
    checks: Checks | None
    say: Callable[[str], None]

    def run(self, stage: Stage, mark: str, parts: MadeFrom) -> Outcome:
        """Run, continue or skip one stage; `mark` is its fingerprint, made from `parts`."""
        final, partial = self.folder / stage.name, self.folder / f".{stage.name}.partial"
        _finish_rename(final, partial)
        restart = self.resume == "never" or stage.name in self.again
        complete, earlier = read_record(final), read_record(partial)
        unfinished = earlier.get("fingerprint") == mark
        unchanged = complete.get("status") == "complete" and complete.get("fingerprint") == mark
        if unchanged and not restart and not unfinished:
            return self._skip(stage, complete)
        if not restart:
            self._refuse_unknown(stage, final, complete)
            if self.resume == "always":
                if complete and not unchanged:
                    raise _other_work(stage, final, complete, parts, finished=True)
                if partial.exists() and not unfinished:
                    raise _other_work(stage, partial, earlier, parts, finished=False)
        for needed in stage.after:
            self._require(stage.name, needed)
        self._keep_changed(stage.name, final)
        try:
            self._clear(stage, partial, earlier, parts, keep=unfinished and not restart)
            resumed = partial.exists()
            partial.mkdir(parents=True, exist_ok=True)
            record: StageRecord = {
                **(earlier if resumed else {}),
                "stage": stage.name,
                "status": "running",
                "fingerprint": mark,
                "settings": plain_settings(stage),
                "made_from": parts,
            }
            write_record(partial, record)
        except OSError as error:
            raise disk_error(error, self.folder) from error
        if complete and not unchanged and not restart:
            self._say_replaced(stage, complete, parts)
        self.say(
            f"{stage.name}: continuing where it was interrupted"
            if resumed
            else f"{stage.name}: working"
        )
        record = _work(stage, partial, record, self.checks or Checks(self.folder))
        _put_in_place(final, partial)
        warnings = record["counts"].get("card_warnings")
        if isinstance(warnings, int) and warnings:
            self.say(f"{stage.name}: {warnings} warning{'s' if warnings > 1 else ''}, in card.md")
        for line in _last_lines(record):
            self.say(f"{stage.name}: {line}")
        return Outcome(stage.name, "resumed" if resumed else "ran", record)

    def _skip(self, stage: Stage, complete: StageRecord) -> Outcome:
        if self.checks is not None:
            self.checks.require(stage.name, self.say)
        self.say(f"{stage.name}: already done, nothing changed")
        for line in _last_lines(complete)[:1]:
            self.say(f"{stage.name}: {line}")
        return Outcome(stage.name, "skipped", complete)

    def _require(self, stage: str, needed: str) -> None:
        """Raise UserError if a stage that this one reads is not complete, or changed."""
        if read_record(self.folder / needed).get("status") != "complete":
            raise UserError(
                f"stage {stage} reads stage {needed}, which is not complete",
                where=str(self.folder),
                remedy=f"run `{stage_command(needed, self.folder)}` first",
            )
        if self.checks is not None:
            self.checks.require(needed)

    def _refuse_unknown(self, stage: Stage, final: Path, complete: StageRecord) -> None:
        """Raise UserError for a folder with files and an unusable record.

        Without any record the folder is not that of a finished stage: unless `resume` is "always"
        it is set aside, and the stage runs.
        """
        if complete.get("status") == "complete" or not (final.is_dir() and any(final.iterdir())):
            return
        if self.resume == "always" or (final / RECORD).exists():
            raise changed_error(self.folder, stage.name, StageState(broken=why_broken(final)))
        kept = set_aside(final)
        self.say(f"{stage.name}: {RECORD} is missing; the folder is kept as {kept.name}")

    def _clear(
        self, stage: Stage, partial: Path, earlier: StageRecord, parts: MadeFrom, *, keep: bool
    ) -> None:
        """Delete what an attempt with other inputs left; keep it where its record is unreadable."""
        if keep or not partial.exists():
            return
        if self.resume == "never" or stage.name in self.again:
            self.say(f"{stage.name}: starting again")
        elif not earlier:
            kept = set_aside(partial)
            self.say(
                f"{stage.name}: the record of the unfinished work cannot be read; its files are "
                f"kept in {kept.name}, starting again"
            )
            return
        else:
            changed = differences(stage, earlier, parts) or "settings, inputs or code"
            self.say(f"{stage.name}: unfinished work is discarded, starting again: {changed}")
        shutil.rmtree(partial)

    def _say_replaced(self, stage: Stage, complete: StageRecord, parts: MadeFrom) -> None:
        changed = differences(stage, complete, parts) or "settings, inputs or code"
        self.say(f"{stage.name}: settings, inputs or code changed, running again: {changed}")

    def _keep_changed(self, name: str, final: Path) -> None:
        """Set a finished folder aside if its files changed, before the stage's work starts again.

        Nothing may be lost that a user changed by hand, and the work may not take over damaged
        files (an index takes vectors from the one before). With `trust` it is not known whether
        files changed, and only accepted changes are kept.
        """
        record = read_record(final)
        if record.get("status") != "complete" or "outputs" not in record:
            return
        changed = bool(record.get("edited"))
        if not changed and self.checks is not None:
            changed = not self.checks.state(name).intact
        if changed:
            kept = set_aside(final)
            self.say(
                f"{name}: the folder with the changed files is kept as {kept.name}; delete it if "
                "you do not need it"
            )


def _other_work(
    stage: Stage, where: Path, record: StageRecord, parts: MadeFrom, *, finished: bool
) -> UserError:
    """Return the error of `--resume always` for work that was made from something else."""
    what = "was finished" if finished else "was started"
    if not record:
        cause = "its record cannot be read"
    else:
        changed = differences(stage, record, parts)
        cause = f"different: {changed}" if changed else "its record does not name the parts"
    return UserError(
        f"stage {stage.name} {what} with other settings, inputs or code, and --resume always "
        f"replaces no work ({cause})",
        where=str(where),
        remedy="undo the change to use this work; to keep it and run the changed recipe, use "
        "another folder (--runs DIR); to replace it, use --resume if-possible",
    )


def _last_lines(record: StageRecord) -> list[str]:
    """Return the lines that the stage's figures hold for the end of its output."""
    lines = record.get("counts", {}).get("last_lines")
    return [str(line) for line in lines] if isinstance(lines, (list, tuple)) else []


def _work(stage: Stage, partial: Path, record: StageRecord, checks: Checks) -> StageRecord:
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
    try:
        return checks.finished(stage.name, partial, record)
    except OSError as error:
        raise disk_error(error, partial) from error


def _save_record(partial: Path, record: StageRecord) -> None:
    """Save a record after an error; a second error while saving must not hide the first."""
    with contextlib.suppress(UserError, OSError):
        write_record(partial, record)


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
