"""Checkpoints that are whole or not there, and read without running anything.

A checkpoint is a folder `step-000025` with `adapter.safetensors`, `optimizer.pt` and
`checkpoint.json`, which holds the SHA-256 of the other two. It is written under another name,
synced and renamed. The random state needs no file: each step's is made from the seed and the
step's number.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import atomic_folder, sha256_file

ADAPTER, OPTIMIZER, RECORD = "adapter.safetensors", "optimizer.pt", "checkpoint.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint found on the disk: its folder and `checkpoint.json`."""

    folder: Path
    record: dict[str, Any]

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self.record["step"])


def save(
    root: Path,
    *,
    tensors: dict[str, Any],
    optimizer: dict[str, Any],
    record: dict[str, Any],
    name: str | None = None,
) -> Path:
    """Write a checkpoint below `root`, named by `record["step"]`; returns its folder."""
    import torch
    from safetensors.torch import save_file

    folder = root / (name or f"step-{record['step']:06d}")
    with atomic_folder(folder) as temporary:
        save_file(
            {k: v.detach().cpu().contiguous() for k, v in tensors.items()}, temporary / ADAPTER
        )
        torch.save(optimizer, temporary / OPTIMIZER)
        hashes = {name: sha256_file(temporary / name) for name in (ADAPTER, OPTIMIZER)}
        text = json.dumps({**record, "sha256": hashes}, ensure_ascii=False, indent=2)
        (temporary / RECORD).write_text(text + "\n", encoding="utf-8")
    return folder


def keep_newest(root: Path, count: int) -> None:
    """Delete all but the `count` newest checkpoints."""
    for folder in sorted(root.glob("step-*"))[:-count]:
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers(folder: Path) -> None:
    """Delete what killed runs left half written in `folder`; its holder alone may call this."""
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def newest(root: Path, tell: Callable[[str], None]) -> Checkpoint | None:
    """The newest whole checkpoint; a torn one is passed over, with a message through `tell`."""
    for folder in sorted(root.glob("step-*"), reverse=True):
        try:
            return read(folder)
        except UserError as error:
            tell(f"checkpoint {folder.name} is ignored: {error.message}")
    return None


def read(folder: Path) -> Checkpoint:
    """A checkpoint after its files' hashes were checked; raises UserError where one is wrong."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        hashes = record["sha256"]
        for name in (ADAPTER, OPTIMIZER):
            if not (folder / name).exists():
                raise UserError(f"{name} is missing", where=str(folder))
            if sha256_file(folder / name) != hashes[name]:
                raise UserError(f"{name} is not what was written", where=str(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{RECORD} cannot be read: {error}", where=str(folder)) from error
    return Checkpoint(folder, record)


def tensors_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """The adapter's tensors by parameter name."""
    from safetensors.torch import load_file

    return load_file(checkpoint.folder / ADAPTER)


def optimizer_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """The optimizer's state; torch reads tensors and plain values only (`weights_only`)."""
    import torch

    return torch.load(checkpoint.folder / OPTIMIZER, map_location="cpu", weights_only=True)
