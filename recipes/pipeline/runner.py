"""The stage runner: skip what is done, go on with what was cut off, never half a result.

A stage works in `.<stage>.partial/`, which becomes `<stage>/` by a rename when it is whole.
Its fingerprint covers settings, the content of its inputs, the code of the rooms it uses and
the fingerprints of the stages before it: equal means done, whatever the clock says.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kofinlaw import Progress, UserError, __version__
from kofinlaw.files import disk_error, sha256_file, write_json
from kofinlaw.recipes.pipeline.code_hash import ROOT_PACKAGE, code_sha256
from kofinlaw.recipes.pipeline.progress import NOTE, noted, stage_progress
from kofinlaw.results import StageResult

Resume = Literal["never", "always", "if-possible"]
RECORD = "stage.json"
log = logging.getLogger("kofinlaw")


class StageFailed(Exception):  # noqa: N818 - what happened, not an error class of the library
    """A fault of ours: the traceback is in `log_path`."""

    def __init__(self, stage: str, log_path: Path, error: BaseException) -> None:
        super().__init__(f"stage {stage} failed: {type(error).__name__}: {error}")
        self.log_path = log_path


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    `settings` is what of the recipe it depends on (JSON values), `inputs` the files and folders
    outside the run it reads, `rooms` the packages whose code it uses, `after` the stages whose
    folders it reads. `work(out, progress)` writes into `out` and returns counts.
    """

    name: str
    work: Callable[[Path, Progress], dict[str, Any] | StageResult]
    settings: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    rooms: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What happened to a stage: `ran`, `resumed` or `skipped`, and its record."""

    stage: str
    how: Literal["ran", "resumed", "skipped"]
    record: dict[str, Any]


def inputs_sha256(paths: Iterable[Path]) -> str:
    """Hash of the names and contents of files and folders (in sorted order)."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for item in files:
            if ".git" in item.parts:
                continue
            digest.update(item.name.encode())
            with contextlib.suppress(OSError):
                digest.update(sha256_file(item).encode())
    return digest.hexdigest()


def fingerprint(stage: Stage, before: dict[str, str]) -> str:
    """The stage's identity, given the fingerprints of the stages before it."""
    content = {
        "stage": stage.name,
        "version": __version__,
        "settings": stage.settings,
        "inputs": inputs_sha256(stage.inputs),
        "code": {name: code_sha256(name) for name in packages_of(stage)},
        "before": {name: before[name] for name in stage.after},
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def packages_of(stage: Stage) -> tuple[str, ...]:
    """The packages whose code a stage uses; every stage uses the root package."""
    return (ROOT_PACKAGE, *(f"{ROOT_PACKAGE}.{room}" for room in stage.rooms))


def read_record(folder: Path) -> dict[str, Any]:
    """A stage's `stage.json`; empty where there is none or it is broken."""
    try:
        value = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def run_stages(
    stages: Sequence[Stage],
    folder: Path,
    *,
    resume: Resume = "if-possible",
    only: Sequence[str] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """Run stages in order under `folder`.

    `only` names the stages to run (the others must be complete already where they are needed).
    Raises UserError for the person's mistakes and StageFailed for ours.
    """
    prints: dict[str, str] = {}
    outcomes = []
    for stage in stages:
        prints[stage.name] = fingerprint(stage, prints)
        if only is not None and stage.name not in only:
            continue
        for needed in stage.after:
            if read_record(folder / needed).get("status") != "complete":
                raise UserError(
                    f"stage {stage.name} reads stage {needed}, which has not been run",
                    where=str(folder),
                    remedy=f"run `kofinlaw {command_of(needed)} RECIPE` first",
                )
        outcomes.append(run_stage(stage, folder, prints[stage.name], resume, say))
    return outcomes


def command_of(stage: str) -> str:
    """The command that runs a stage on its own."""
    return stage if stage in {"data", "augment", "train", "index"} else "run"


def run_stage(
    stage: Stage, folder: Path, mark: str, resume: Resume, say: Callable[[str], None]
) -> Outcome:
    """Run one stage, or skip it, or go on with it."""
    final, partial = folder / stage.name, folder / f".{stage.name}.partial"
    _finish_rename(final, partial)
    done = read_record(final)
    if resume != "never" and done.get("status") == "complete" and done.get("fingerprint") == mark:
        say(f"{stage.name}: already done, nothing changed")
        return Outcome(stage.name, "skipped", done)
    begun = read_record(partial)
    usable = begun.get("fingerprint") == mark
    if resume == "always" and begun and not usable:
        raise UserError(
            "what is there was begun with other settings, inputs or code",
            where=str(partial),
            remedy="use --resume if-possible to start this stage anew, or restore the settings",
        )
    try:
        if partial.exists() and (resume == "never" or not usable):
            say(f"{stage.name}: settings or inputs changed, starting anew")
            shutil.rmtree(partial)
        resumed = partial.exists()
        partial.mkdir(parents=True, exist_ok=True)
        record = {**begun, "stage": stage.name, "status": "running", "fingerprint": mark}
        write_json(partial / RECORD, record)
    except OSError as error:
        raise disk_error(error, folder) from error
    say(f"{stage.name}: going on where it was cut off" if resumed else f"{stage.name}: working")
    record = _work(stage, partial, record)
    _put_in_place(final, partial)
    if warnings := record["counts"].get("card_warnings"):
        say(f"{stage.name}: {warnings} warning{'s' if warnings > 1 else ''}, in card.md")
    return Outcome(stage.name, "resumed" if resumed else "ran", record)


def _work(stage: Stage, partial: Path, record: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    earlier = float(record.get("seconds", 0.0))
    reset_peak_memory()
    with log_to(partial / "log.txt"), stage_progress(stage.name) as progress:
        try:
            result = stage.work(partial, noted(progress, partial / NOTE))
            counts = result if isinstance(result, dict) else result.to_record()
            (partial / NOTE).unlink(missing_ok=True)
        except (UserError, KeyboardInterrupt, SystemExit):
            _note(partial, {**record, "seconds": earlier + time.monotonic() - began})
            raise
        except OSError as error:
            _note(partial, {**record, "seconds": earlier + time.monotonic() - began})
            mended = disk_error(error, partial)
            if isinstance(mended, UserError):
                raise mended from error
            log.error("%s", traceback.format_exc())
            raise StageFailed(stage.name, partial / "log.txt", error) from error
        except Exception as error:
            log.error("%s", traceback.format_exc())
            _note(partial, {**record, "status": "failed"})
            raise StageFailed(stage.name, partial / "log.txt", error) from error
    record = {
        **record,
        "status": "complete",
        "seconds": round(earlier + time.monotonic() - began, 2),
        "peak_memory_gib": peak_memory_gib(),
        "version": __version__,
        "settings": stage.settings,
        "counts": counts,
    }
    write_json(partial / RECORD, record)
    return record


def _note(partial: Path, record: dict[str, Any]) -> None:
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
    """A kill between two renames: a complete partial folder takes its place."""
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
    """Send the package's log, and warnings of the libraries below it, to a file."""
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
    """Let VmHWM count from here (Linux: writing 5 to clear_refs resets the high-water mark)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_gib() -> float | None:
    """The highest resident memory of this process since the last reset, in GiB."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 2**20, 3)
    return None
