"""Read and write `stage.json`, the record of a stage, with a seal that shows later changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypedDict, cast

from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import write_json
from kofinlaw.tolerant_files import sealed

__all__ = [
    "RECORD",
    "MadeFrom",
    "OutputFile",
    "StageRecord",
    "passed_on",
    "read_record",
    "write_record",
]

RECORD = "stage.json"


class OutputFile(TypedDict, total=False):
    """Size and SHA-256 (hexadecimal) of a file; `link` if it is reached through a link."""

    bytes: int
    sha256: str
    link: bool


class MadeFrom(TypedDict):
    """The parts of a stage's fingerprint, in addition to its settings."""

    version: str
    inputs: dict[str, str]
    code: dict[str, str]
    before: dict[str, str]


class StageRecord(TypedDict, total=False):
    """A stage's `stage.json`; empty if the stage has not started.

    `seconds` are those of all attempts together, `counts` the figures that the stage returned,
    `machine` names the card or the processor that it ran on. `outputs` are the files that the stage
    wrote, by their path in its folder. `edited` is the SHA-256 of outputs that a user changed and
    accepted. `replacing` are files that a command is writing again: until it has finished, they may
    have the old or the new content. `record_sha256` seals the other keys.
    """

    stage: str
    status: Literal["running", "failed", "complete"]
    fingerprint: str
    seconds: float
    peak_memory_gib: float | None
    machine: str
    version: str
    settings: Mapping[str, object]
    made_from: MadeFrom
    counts: dict[str, object]
    outputs: dict[str, OutputFile]
    edited: str
    replacing: dict[str, OutputFile]
    record_sha256: str


def read_record(folder: Path) -> StageRecord:
    """Return the `stage.json` of a stage's folder; empty if it is missing or broken."""
    try:
        record = load_json((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise_if_machine(error, folder / RECORD)
        return {}
    return cast("StageRecord", record) if isinstance(record, dict) else {}


def write_record(folder: Path, record: StageRecord) -> StageRecord:
    """Write a record with its seal, atomically; return it as it was written."""
    plain = sealed(cast("Mapping[str, object]", record))
    write_json(folder / RECORD, plain)
    return cast("StageRecord", plain)


def passed_on(record: StageRecord, mark: str) -> str:
    """Return what the stages after a stage take into their fingerprints.

    This is the stage's own fingerprint `mark`, or a hash of it and of the files that a user changed
    and accepted.
    """
    edited = record.get("edited")
    if not edited or record.get("fingerprint") != mark:
        return mark
    return hashlib.sha256(f"{mark} {edited}".encode()).hexdigest()
