"""Whether a run goes on from a checkpoint or starts anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from kofinlaw import UserError
from kofinlaw.files import sha256_text
from kofinlaw.trainer import checkpoint as checkpoints
from kofinlaw.trainer.settings import TrainSettings

Resume = Literal["never", "always", "if-possible"]

# What may change between two runs without making another model: memory, speed, files.
FREE_KEYS = {
    "max_tokens_per_micro_batch",
    "memory_limit_gib",
    "head_chunk_rows",
    "checkpoint_steps",
    "keep_checkpoints",
    "gradient_checkpointing",
    "report_to",
    "mixture",  # the data's fingerprint covers what is in it
    "start_from",  # the start's own fingerprint covers it
}


def fingerprints(settings: TrainSettings, *, seed: int, **hashes: str) -> dict[str, str]:
    """What a checkpoint belongs to: the settings that make the model, the seed, and `hashes`."""
    kept = settings.model_dump(mode="json", exclude=FREE_KEYS)
    text = json.dumps(kept, sort_keys=True)
    return {"format": "3", "settings": sha256_text(text), "seed": str(seed), **hashes}


def find_checkpoint(
    root: Path, mine: Mapping[str, str], resume: Resume, tell: Callable[[str], None]
) -> checkpoints.Checkpoint | None:
    """The checkpoint below `root` to go on from, or None to start anew.

    Raises UserError where `resume` is "always" and there is none, or it belongs to another run.
    """
    if resume == "never":
        return None
    found = checkpoints.newest(root, tell)
    if found is None:
        if resume == "always":
            raise UserError("no checkpoint to go on from", where=str(root))
        return None
    theirs = found.record["fingerprints"]
    differing = [key for key, value in mine.items() if theirs.get(key) != value]
    if not differing:
        return found
    if resume == "always":
        raise UserError(
            f"the checkpoint belongs to another run: different {', '.join(differing)}",
            where=str(found.folder),
            remedy="put back what changed, or start anew with --resume never",
        )
    tell(f"started anew: the checkpoint has different {', '.join(differing)}")
    return None


def start_anew(root: Path) -> None:
    """Delete the checkpoints of a run that is not gone on with."""
    shutil.rmtree(root, ignore_errors=True)
