"""Merge on both bases, measure both results, and keep the better one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from kofinlaw import Progress, silent
from kofinlaw.files import write_json
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.records import Message
from kofinlaw.trainer.merge.merge_model import merge_adapter
from kofinlaw.trainer.merge.merge_result import MergeResult
from kofinlaw.trainer.proof.proof_result import ProofResult
from kofinlaw.trainer.proof.prove import prove_merge
from kofinlaw.trainer.proof.settings import VerifySettings

__all__ = ["BASES", "CHOICE", "merge_on_better_base"]

BASES: tuple[Literal["dequantized", "original"], ...] = ("dequantized", "original")
CHOICE = "best.json"


def merge_on_better_base(
    adapter: Path,
    base_folder: Path,
    out: Path,
    *,
    dtype: str = "bfloat16",
    name: str | None = None,
    accept_unrecorded: bool = False,
    prompts: Sequence[str | Sequence[Message]] = (),
    template: ChatTemplate | None = None,
    settings: VerifySettings | None = None,
    progress: Progress = silent,
) -> MergeResult:
    """Write the better of both merges as `out`, and both proofs next to it as `best.json`.

    The better merge has the lower loss on the answers of the fixed dialogues and of `prompts`. On
    a tie, `dequantized` is kept, because it is the model that was trained. A merge that fails its
    proof has an infinite loss.

    Args:
        adapter: the adapter's folder.
        base_folder: the 16-bit base model's folder.
        out: target folder, absent or empty.
        dtype: format of the stored weights.
        name: the merged model's name; None derives it from the base.
        accept_unrecorded: accept an adapter that does not record its base.
        prompts: dialogues held out from training. They should not be scored later, because
            choosing on them would flatter the score.
        template: the chat template used in training; None takes the adapter's record of it.
        settings: of the proofs; None takes the defaults.
        progress: receives the progress of each merge and proof.

    Returns the kept merge's figures with the losses of both.

    Raises UserError as `merge_adapter` and `prove_merge` do.
    """
    results: dict[str, MergeResult] = {}
    proofs: dict[str, ProofResult] = {}
    for base in BASES:
        folder = out.with_name(f"{out.name}-{base}")
        results[base] = merge_adapter(
            adapter,
            base_folder,
            folder,
            base=base,
            dtype=dtype,
            name=name,
            accept_unrecorded=accept_unrecorded,
            progress=progress,
        )
        proofs[base] = prove_merge(
            folder,
            adapter,
            base_folder,
            prompts=prompts,
            template=template,
            settings=settings,
            progress=progress,
        )
    losses: dict[str, float] = {base: _loss(proofs[base]) for base in BASES}
    kept = min(BASES, key=lambda base: losses[base])
    reports = {base: proof.to_report() for base, proof in proofs.items()}
    write_json(out.with_name(CHOICE), {"kept": kept, "answer_loss": losses, "proofs": reports})
    if out.exists():
        out.rmdir()
    for base in BASES:
        folder = out.with_name(f"{out.name}-{base}")
        if base == kept:
            folder.rename(out)
        else:
            shutil.rmtree(folder)
    return replace(results[kept], answer_losses=losses)


def _loss(proof: ProofResult) -> float:
    """Return the merged model's mean loss on answers, in nats a token;
    infinite without a passed proof.
    """
    loss = proof.figures.answer_loss_merged if proof.figures else None
    if proof.verdict != "pass" or loss is None:
        return float("inf")
    return round(loss, 6)
