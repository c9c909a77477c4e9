"""Write and read the state of an embedder's training; reading one never runs code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import atomic_folder, sha256_file

__all__ = ["Saved", "newest", "save"]

_WEIGHTS, _OPTIMIZER, _RECORD = "weights.safetensors", "optimizer.pt", "checkpoint.json"


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds: the finished steps, their losses, the seconds used, the weights and
    the optimizer's state.
    """

    step: int
    losses: list[float]
    seconds: float
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]


def save(
    root: Path,
    *,
    step: int,
    losses: list[float],
    seconds: float,
    weights: Mapping[str, Tensor],
    optimizer: dict[str, Any],
    fingerprint: str,
) -> None:
    """Write a checkpoint below `root`, complete or not at all, and delete the older ones."""
    with atomic_folder(root / f"step-{step:06d}") as folder:
        held = {name: weight.detach().cpu().contiguous() for name, weight in weights.items()}
        save_file(held, folder / _WEIGHTS)
        torch.save(optimizer, folder / _OPTIMIZER)
        record = {
            "step": step,
            "losses": losses,
            "seconds": seconds,
            "fingerprint": fingerprint,
            "sha256": {name: sha256_file(folder / name) for name in (_WEIGHTS, _OPTIMIZER)},
        }
        (folder / _RECORD).write_text(json.dumps(record), encoding="utf-8")
    for older in sorted(root.glob("step-*"))[:-1]:
        shutil.rmtree(older, ignore_errors=True)


def newest(root: Path, fingerprint: str) -> Saved | None:
    """Return the newest checkpoint of this training; damaged ones and those of another training are
    passed over.
    """
    for folder in sorted(root.glob("step-*"), reverse=True):
        try:
            record = load_json((folder / _RECORD).read_text(encoding="utf-8"))
            if record["fingerprint"] != fingerprint:
                continue
            if any(sha256_file(folder / name) != sha for name, sha in record["sha256"].items()):
                continue
            weights = load_file(folder / _WEIGHTS)
            state = torch.load(folder / _OPTIMIZER, map_location="cpu", weights_only=True)
            losses = [float(loss) for loss in record["losses"]]
            return Saved(int(record["step"]), losses, float(record["seconds"]), weights, state)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise_if_machine(error, folder)
    return None
