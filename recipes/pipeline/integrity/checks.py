"""Check that the files of finished stages are as their stages wrote them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.commands import again_command, command_line
from kofinlaw.decoding import SURROGATES
from kofinlaw.files import sha256_text, stage_folders, write_text
from kofinlaw.recipes.pipeline.integrity.check_memory import CheckMemory
from kofinlaw.recipes.pipeline.integrity.outputs import (
    Change,
    compare,
    describe,
    extra_files,
    find_outputs,
)
from kofinlaw.recipes.pipeline.integrity.stage_record import (
    RECORD,
    OutputFile,
    StageRecord,
    read_record,
    write_record,
)
from kofinlaw.tolerant_files import is_intact

__all__ = [
    "Checks",
    "StageState",
    "accept_stage",
    "changed_error",
    "replace_outputs",
    "require_path",
    "require_stages",
    "rerecord",
    "stage_of",
    "stages_in",
    "why_broken",
]

MOST_NAMED = 5  # changed files that one message lists


@dataclass(frozen=True)
class StageState:
    """What a check of a stage's folder found.

    `changes` are files that are not as recorded, `extra` names of files that the stage did not
    write and that nothing reads, `recorded` the number of recorded files (None: an earlier version
    recorded none), `broken` why the record itself cannot be used.
    """

    changes: tuple[Change, ...] = ()
    extra: tuple[str, ...] = ()
    recorded: int | None = None
    broken: str = ""

    @property
    def intact(self) -> bool:
        """Whether nothing changed that a later stage reads."""
        return not self.changes and not self.broken


class Checks:
    """Checks the stages of one run; a large file is read once for each process that needs it.

    `fresh` reads every file at the first check of a stage, also if it seems unchanged.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        self.memory = CheckMemory(folder)
        self._fresh = fresh
        self._checked: set[str] = set()

    def state(self, stage: str) -> StageState:
        """Compare the files of a finished stage with its record."""
        where = self.folder / stage
        record = read_record(where)
        if record.get("status") != "complete":
            return StageState(broken=why_broken(where))
        if not is_intact(record):
            return StageState(broken=f"{RECORD} changed after the stage was finished")
        if "outputs" not in record:
            return StageState()
        fresh = self._fresh and stage not in self._checked
        sha256 = self.memory.fresh_sha256 if fresh else self.memory.sha256
        changes = compare(where, record["outputs"], sha256)
        replaced = record.get("replacing", {})
        if new := {one.name: replaced[one.name] for one in changes if one.name in replaced}:
            changes = compare(where, {**record["outputs"], **new}, sha256)
        self._checked.add(stage)
        self.memory.save()
        named = {change.name for change in changes}
        extra = (
            []
            if any(change.name == "." for change in changes)
            else extra_files(find_outputs(where), record["outputs"])
        )
        return StageState(
            tuple(changes),
            tuple(name for name in extra if name not in named),
            len(record["outputs"]),
        )

    def require(self, stage: str, say: Callable[[str], None] = lambda line: None) -> None:
        """Raise UserError if a finished stage is not as it was written.

        The files of a folder without a record, or of a stage that an earlier version of kofinlaw
        finished, cannot be checked; `say` is called with a line about it, and with one about files
        that the stage did not write.
        """
        if not (self.folder / stage / RECORD).exists():
            say(f"{stage}: {RECORD} is missing, so its files cannot be checked")
            return
        state = self.state(stage)
        if not state.intact:
            raise changed_error(self.folder, stage, state)
        if state.recorded is None:
            say(
                f"{stage}: its files cannot be checked, because an earlier version of kofinlaw "
                f"recorded no hashes; `{command_line('verify', self.folder)}` records them"
            )
        if state.extra:
            say(f"{stage}: files that the stage did not write are ignored: {_list(state.extra)}")

    def finished(self, stage: str, folder: Path, record: StageRecord) -> StageRecord:
        """Write the record of a stage whose work in `folder` is complete, with its outputs."""
        record = {**record, "outputs": describe(folder)}
        self._checked.add(stage)
        return write_record(folder, record)


def require_stages(
    folder: Path,
    stages: Iterable[str],
    *,
    trust: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Raise UserError if one of these stages of a run is not as it was written.

    Stages that the run does not have are left out. Of large files only those are read that may have
    changed since the last check. `trust` checks nothing.
    """
    if trust:
        return
    checks = Checks(folder)
    for stage in dict.fromkeys(stages):
        if (folder / stage).is_dir():
            checks.require(stage, say)


def require_path(
    path: Path, *, trust: bool = False, say: Callable[[str], None] = lambda line: None
) -> None:
    """Raise UserError if a file or folder belongs to a finished stage that changed.

    A path outside of every stage is not checked; `trust` checks nothing.
    """
    stage = None if trust else stage_of(path)
    if stage is not None:
        require_stages(stage.parent, [stage.name], say=say)


def stage_of(path: Path) -> Path | None:
    """Return the folder of the finished stage that a path lies in, or is; None if it is in none."""
    whole = path.resolve()
    return next(
        (
            one
            for one in (whole, *whole.parents)
            if (one / RECORD).is_file() and (one.parent / "recipe.yaml").is_file()
        ),
        None,
    )


def stages_in(folder: Path) -> list[str]:
    """Return the names of the finished stages of a run, those that were finished first first."""
    found = stage_folders(folder)
    return [p.name for p in sorted(found, key=lambda p: ((p / RECORD).stat().st_mtime_ns, p.name))]


def rerecord(folder: Path) -> None:
    """Record the files of a finished stage again, after a command has written into its folder."""
    record = read_record(folder)
    if record.get("status") == "complete" and "outputs" in record:
        record.pop("replacing", None)
        write_record(folder, {**record, "outputs": describe(folder)})


def replace_outputs(folder: Path, texts: Mapping[str, str]) -> None:
    """Write text files of a finished stage again, by their path in its folder, and record them.

    The record names the new files before they are written. So the stage stays intact if the process
    is killed or the disk is full in between. Raises UserError if the disk is full.
    """
    record = read_record(folder)
    recorded = record.get("status") == "complete" and "outputs" in record
    new: dict[str, OutputFile] = {}
    for name, text in texts.items():
        raw = text.encode("utf-8", SURROGATES)
        new[name] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    if recorded:
        write_record(folder, {**record, "replacing": new})
    for name, text in texts.items():
        write_text(folder / name, text)
    if recorded:
        record.pop("replacing", None)
        write_record(folder, {**record, "outputs": {**record["outputs"], **new}})


def accept_stage(folder: Path) -> StageState:
    """Record the files of a stage as they are now, because the user changed them on purpose.

    The stages that read them run again. Returns what had changed. Raises UserError if the folder
    holds no readable record.
    """
    state = Checks(folder.parent).state(folder.name)
    record = read_record(folder)
    if record.get("status") != "complete":
        raise changed_error(folder.parent, folder.name, state)
    if state.intact and state.recorded is not None:
        return state
    outputs = describe(folder)
    record.pop("replacing", None)
    kept: StageRecord = {**record, "outputs": outputs}
    if not state.intact:
        text = ", ".join(f"{name} {one['sha256']}" for name, one in outputs.items())
        kept["edited"] = sha256_text(text)
    write_record(folder, kept)
    return state


def changed_error(folder: Path, stage: str, state: StageState) -> UserError:
    """Return the error for a stage that is not as it was written, with the three remedies."""
    again = again_command(stage, folder)
    if state.broken:
        return UserError(
            f"{state.broken}, so it is not known what the folder holds",
            where=str(folder / stage),
            remedy=f"restore {RECORD}, or run the stage again: `{again}`",
        )
    files = "1 file" if len(state.changes) == 1 else f"{len(state.changes)} files"
    accept = command_line("verify", folder, "--accept", stage)
    return UserError(
        f"{files} changed after the stage {stage} was finished: {_list(state.changes)}",
        where=str(folder / stage),
        remedy=f"restore what changed, or run the stage again: `{again}`\n"
        f"  → if you changed it on purpose: `{accept}`; to use it unchecked: --trust",
    )


def why_broken(folder: Path) -> str:
    """Return why the record of a stage's folder does not say what the folder holds."""
    if not (folder / RECORD).exists():
        return f"{RECORD} is missing"
    if not read_record(folder):
        return f"{RECORD} cannot be read"
    return f"{RECORD} does not say that the stage is complete"


def _list(names: Sequence[object]) -> str:
    shown = ", ".join(map(str, names[:MOST_NAMED]))
    rest = len(names) - MOST_NAMED
    return shown + (f" and {rest} more" if rest > 0 else "")
