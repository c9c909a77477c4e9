"""Merge on both bases, measure both, keep the better: neither is always it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from kofinlaw import Progress, silent
from kofinlaw.files import write_json
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.records import Message
from kofinlaw.trainer.merge.merge_model import merge
from kofinlaw.trainer.proof.prove import verify_merge
from kofinlaw.trainer.proof.settings import VerifySettings

BASES: tuple[Literal["dequantized", "original"], ...] = ("dequantized", "original")
CHOICE = "best.json"


def merge_best(
    adapter: Path,
    base_folder: Path,
    out: Path,
    *,
    dtype: str = "bfloat16",
    name: str | None = None,
    accept_unrecorded: bool = False,
    prompts: Sequence[str | Sequence[Message]] = (),
    template: ChatTemplate | None = None,
    thresholds: VerifySettings | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write the better of both merges as `out` and both proofs' figures as `best.json` beside it.

    Better is the lower loss on the answers of `prompts` (dialogues held out from training, and
    best not those that are scored later: choosing on them would flatter the score) and of the
    fixed dialogues; a tie goes to `dequantized`, the model that was trained. Returns the kept
    merge's counts and both losses. Raises as `merge` and `verify_merge`.
    """
    counts: dict[str, dict[str, Any]] = {}
    proofs: dict[str, dict[str, Any]] = {}
    for base in BASES:
        folder = out.with_name(f"{out.name}-{base}")
        counts[base] = merge(
            adapter,
            base_folder,
            folder,
            base=base,
            dtype=dtype,
            name=name,
            accept_unrecorded=accept_unrecorded,
            progress=progress,
        )
        proofs[base] = verify_merge(
            folder,
            adapter,
            base_folder,
            prompts=prompts,
            template=template,
            thresholds=thresholds,
            progress=progress,
        )
    losses = {base: _loss(proofs[base]) for base in BASES}
    kept = min(BASES, key=lambda base: losses[base])
    write_json(
        out.with_name(CHOICE),
        {"kept": kept, "answer_loss": losses, "proofs": proofs},
    )
    if out.exists():
        out.rmdir()
    for base in BASES:
        folder = out.with_name(f"{out.name}-{base}")
        if base == kept:
            folder.rename(out)
        else:
            shutil.rmtree(folder)
    return {**counts[kept], **{f"answer_loss_{base}": losses[base] for base in BASES}}


def _loss(proof: dict[str, Any]) -> float:
    """The merged model's loss on answers; a merge that failed its proof is never kept."""
    figures = proof.get("figures")
    if proof["verdict"] != "pass" or figures is None:
        return float("inf")
    return round(float(figures["answer_loss_merged"]), 6)
