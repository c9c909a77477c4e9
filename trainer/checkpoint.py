"""Write, hash and read checkpoint folders; reading one never runs code.

A checkpoint is a folder `step-000025` with `adapter.safetensors`, `optimizer.pt` and
`checkpoint.json`. The last one holds the SHA-256 of the other two and of itself. A checkpoint is
written under another name, synced and renamed, so it is complete or absent. The random state needs
no file because the random state of each step is derived from the seed and the number of the step.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import atomic_folder, sha256_file
from kofinlaw.tolerant_files import is_intact, sealed
from kofinlaw.trainer.state import RunState, StateRecord
from kofinlaw.trainer.token_budget import BudgetRecord
from kofinlaw.trainer.zero import OptimizerState

__all__ = [
    "ADAPTER",
    "OPTIMIZER",
    "RECORD",
    "Checkpoint",
    "CheckpointRecord",
    "all_damaged",
    "clear_leftovers",
    "has_checkpoint",
    "keep_newest",
    "newest",
    "optimizer_of",
    "read",
    "save",
    "tensors_of",
]

ADAPTER, OPTIMIZER, RECORD = "adapter.safetensors", "optimizer.pt", "checkpoint.json"


class CheckpointRecord(TypedDict):
    """The content of `checkpoint.json`, without the hashes: `step` steps of `steps` are done."""

    version: str
    step: int
    steps: int
    budget: BudgetRecord
    fingerprints: dict[str, str]
    state: StateRecord


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint on the disk: its folder and the content of its `checkpoint.json`."""

    folder: Path
    record: CheckpointRecord

    @property
    def step(self) -> int:
        """Number of finished steps."""
        return int(self.record["step"])


def save(
    root: Path,
    *,
    tensors: Mapping[str, Tensor],
    optimizer: OptimizerState,
    record: CheckpointRecord,
    name: str | None = None,
) -> Path:
    """Write a checkpoint below `root` and return its folder, named `name` or after its step."""
    folder = root / (name or f"step-{record['step']:06d}")
    with atomic_folder(folder) as temporary:
        save_file(
            {k: v.detach().cpu().contiguous() for k, v in tensors.items()}, temporary / ADAPTER
        )
        torch.save(optimizer, temporary / OPTIMIZER)
        hashes = {name: sha256_file(temporary / name) for name in (ADAPTER, OPTIMIZER)}
        text = json.dumps(sealed({**record, "sha256": hashes}), ensure_ascii=False, indent=2)
        (temporary / RECORD).write_text(text + "\n", encoding="utf-8")
    return folder


def keep_newest(root: Path, count: int) -> None:
    """Delete all but the `count` newest checkpoints."""
    for folder in sorted(root.glob("step-*"))[:-count]:
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers(folder: Path) -> None:
    """Delete what killed runs left half written in `folder`; call only with the folder's lock."""
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def has_checkpoint(out: Path) -> bool:
    """Return whether the folder of a run holds the checkpoint of a step."""
    return any((out / "checkpoints").glob("step-*"))


def all_damaged(root: Path) -> bool:
    """Return whether there are checkpoints of steps, and none of them can be read."""
    return any(root.glob("step-*")) and newest(root, lambda text: None) is None


def newest(root: Path, log_event: Callable[[str], None]) -> Checkpoint | None:
    """Return the newest complete checkpoint; a damaged one is skipped and reported."""
    for folder in sorted(root.glob("step-*"), reverse=True):
        try:
            return read(folder)
        except UserError as error:
            raise_if_machine(error, folder)
            log_event(f"checkpoint {folder.name} is ignored: {error.message}")
    return None


def read(folder: Path) -> Checkpoint:
    """Read a checkpoint and compare the hashes of its files.

    Raises UserError if a file is missing, cannot be read or has another hash, also the record.
    """
    try:
        record = load_json((folder / RECORD).read_text(encoding="utf-8"))
        if not is_intact(record):
            raise ValueError("it changed since it was written")
        RunState(**record["state"])
        if not all(isinstance(record[key], dict) for key in ("fingerprints", "budget")):
            raise TypeError("fingerprints and budget must be objects")
        if int(record["step"]) != record["state"]["step"]:
            raise ValueError("two numbers of steps")
        hashes = record["sha256"]
        for name in (ADAPTER, OPTIMIZER):
            if not (folder / name).exists():
                raise UserError(f"{name} is missing", where=str(folder))
            if sha256_file(folder / name) != hashes[name]:
                raise UserError(
                    f"{name} has changed since it was written: its hash differs", where=str(folder)
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise_if_machine(error, folder)
        raise UserError(f"{RECORD} cannot be read: {error}", where=str(folder)) from error
    return Checkpoint(folder, record)


def tensors_of(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Read the tensors of the adapter by parameter name."""
    return load_file(checkpoint.folder / ADAPTER)


def optimizer_of(checkpoint: Checkpoint) -> OptimizerState:
    """Read the state of the optimizer: tensors and plain values only (`weights_only`)."""
    return torch.load(checkpoint.folder / OPTIMIZER, map_location="cpu", weights_only=True)
