"""Decide whether a run resumes from a checkpoint or starts from step 0."""

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

# Keys that may change between two runs without a different result: memory, speed and files.
FREE_KEYS = {
    "max_tokens_per_micro_batch",
    "memory_limit_gib",
    "head_chunk_rows",
    "checkpoint_steps",
    "keep_checkpoints",
    "gradient_checkpointing",
    "report_to",
    "mixture",  # the hash of the data covers its content
    "start_from",  # the hash of the start adapter covers it
}


def run_fingerprints(settings: TrainSettings, *, seed: int, **hashes: str) -> dict[str, str]:
    """Return what a checkpoint must agree with: settings that affect the result, seed, `hashes`."""
    kept = settings.model_dump(mode="json", exclude=FREE_KEYS)
    text = json.dumps(kept, sort_keys=True)
    return {"format": "3", "settings": sha256_text(text), "seed": str(seed), **hashes}


def find_checkpoint(
    root: Path, mine: Mapping[str, str], resume: Resume, log_event: Callable[[str], None]
) -> checkpoints.Checkpoint | None:
    """Find the checkpoint below `root` to resume from; None means to start from step 0.

    `mine` are the fingerprints of this run. Raises UserError if `resume` is "always" and there is
    no checkpoint or it belongs to another run.
    """
    if resume == "never":
        return None
    found = checkpoints.newest(root, log_event)
    if found is None:
        if resume == "always":
            raise UserError("no checkpoint to resume from", where=str(root))
        return None
    theirs = found.record["fingerprints"]
    differing = [key for key, value in mine.items() if theirs.get(key) != value]
    if not differing:
        return found
    if resume == "always":
        raise UserError(
            f"the checkpoint belongs to another run: different {', '.join(differing)}",
            where=str(found.folder),
            remedy="undo the change, or start from step 0 with --resume never",
        )
    log_event(f"started from step 0: the checkpoint has different {', '.join(differing)}")
    return None


def delete_checkpoints(root: Path) -> None:
    """Delete the checkpoints of a run that is not resumed."""
    shutil.rmtree(root, ignore_errors=True)
