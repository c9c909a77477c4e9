"""Decide whether a run resumes from a checkpoint or starts from step 0.

Threads, device and number of processes decide the last bits of the numbers: sums are added in
another order. They are part of a run's fingerprints. A resumed run computes with the number of
threads that it started with, and is refused on another device or with other processes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.files import sha256_text
from kofinlaw.trainer import checkpoint as checkpoints
from kofinlaw.trainer.memory_use import device_name
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.settings import TrainSettings

__all__ = [
    "FREE_KEYS",
    "THEN",
    "Resume",
    "continued_fingerprints",
    "delete_checkpoints",
    "find_checkpoint",
    "recorded_threads",
    "run_fingerprints",
]

Resume = Literal["never", "always", "if-possible"]

# Keys that may change between two runs without a different result: memory, speed and files.
FREE_KEYS = {
    "max_tokens_per_micro_batch",
    "memory_limit_gib",
    "head_chunk_rows",
    "checkpoint_steps",
    "keep_checkpoints",
    "gradient_checkpointing",
    "kept_layers",
    "report_to",
    "resume_elsewhere",
    "mixture",  # the hash of the data covers its content
    "start_from",  # the hash of the start adapter covers it
}


# The parts of a fingerprint that another machine changes, in the words of a message.
MACHINE = {"device": "device", "processes": "number of processes"}
THEN = ", then "  # between the machines of a run with `train.resume_elsewhere`


def run_fingerprints(
    settings: TrainSettings, ranks: Ranks, *, seed: int, **hashes: str
) -> dict[str, str]:
    """Return what a checkpoint must agree with: settings that affect the result, seed, `hashes`,
    and the device, processes and threads that compute.
    """
    kept = settings.model_dump(mode="json", exclude=FREE_KEYS)
    text = json.dumps(kept, sort_keys=True)
    launch = f"ZeRO-{ranks.zero_stage}" if ranks.zero_stage else "FSDP" if ranks.sharded else ""
    return {
        "format": "4",
        "settings": sha256_text(text),
        "seed": str(seed),
        **hashes,
        "device": device_name(),
        "processes": f"{ranks.world_size} {launch}".rstrip(),
        "threads": str(torch.get_num_threads()),
    }


@contextmanager
def recorded_threads(root: Path, resume: Resume) -> Iterator[str]:
    """Compute in the block with as many threads as the newest checkpoint below `root` has.

    Yields a sentence about it; empty if the number stays the same. Call it before the model is
    loaded: the start of an adapter can depend on the number too.
    """
    before = torch.get_num_threads()
    wanted = None if resume == "never" else _threads_of(root)
    note = ""
    if wanted is not None and wanted != before:
        torch.set_num_threads(wanted)
        note = (
            f"computes with {wanted} threads, as the checkpoint was made; this process would use "
            f"{before}, which gives other last digits"
        )
    try:
        yield note
    finally:
        torch.set_num_threads(before)


def _threads_of(root: Path) -> int | None:
    """Return the number of threads of the newest checkpoint; None if there is none."""
    for folder in sorted(root.glob("step-*"), reverse=True):
        try:
            record = load_json((folder / checkpoints.RECORD).read_text(encoding="utf-8"))
            return max(1, int(record["fingerprints"]["threads"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def continued_fingerprints(mine: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """Return the fingerprints of a run that continues a checkpoint with the fingerprints `theirs`.

    A device or a number of processes that differs is added to those before.
    """
    out = dict(mine)
    for key in MACHINE:
        if key in theirs:
            out[key] = (
                theirs[key] if _same(key, mine, theirs) else f"{theirs[key]}{THEN}{mine[key]}"
            )
    return out


def _same(key: str, mine: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Return whether a part of the fingerprints agrees; of several machines the last one counts."""
    found = theirs.get(key)
    if found is not None and key in MACHINE:
        found = found.rpartition(THEN)[2]
    return found == mine[key]


def find_checkpoint(
    root: Path,
    mine: Mapping[str, str],
    resume: Resume,
    log_event: Callable[[str], None],
    *,
    elsewhere: bool = False,
) -> checkpoints.Checkpoint | None:
    """Find the checkpoint below `root` to resume from; None means to start from step 0.

    `mine` are the fingerprints of this run. Raises UserError if `resume` is "always" and there is
    no checkpoint or it belongs to another run; also if the checkpoint of this run was made on
    another device or with another number of processes, unless `elsewhere`.
    """
    if resume == "never":
        return None
    found = checkpoints.newest(root, log_event)
    if found is None:
        if resume == "always":
            raise UserError(
                "no checkpoint to resume from",
                where=str(root),
                remedy="start from step 0 with --resume if-possible",
            )
        return None
    theirs = found.record["fingerprints"]
    differing = [key for key in mine if not _same(key, mine, theirs)]
    if set(differing) <= set(MACHINE):
        if differing and not elsewhere:
            raise _made_elsewhere(found, mine, differing)
        for key in differing:
            log_event(f"{MACHINE[key]} changed: {theirs.get(key)} → {mine[key]}; not bit for bit")
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


def _made_elsewhere(
    found: checkpoints.Checkpoint, mine: Mapping[str, str], differing: list[str]
) -> UserError:
    theirs = found.record["fingerprints"]
    parts = [f"{MACHINE[key]} {theirs.get(key)}, now {mine[key]}" for key in differing]
    return UserError(
        f"the checkpoint of step {found.step} was made elsewhere: {'; '.join(parts)}. Continued "
        "here, the adapter would not be that of either of them bit for bit",
        where=str(found.folder),
        remedy="start it as before; or accept a difference of rounding with "
        "--set train.resume_elsewhere=true; or start from step 0 with --resume never",
    )
