"""The model under training: a frozen base with a fresh adapter, checked, and its identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.initialisation import fill_quantization_gap, start_from
from kofinlaw.trainer.lora_pass import patch_lora_forward
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sharding import shard
from kofinlaw.trainer.zero import check_settings


@dataclass(frozen=True)
class Trainee:
    """`start` are the trained tensors before step 1, `frozen` the checksums of all others."""

    model: Any
    base_sha256: str
    storage_dtype: str
    start: dict[str, Any]
    frozen: dict[str, int]

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(tensor.numel() for tensor in self.start.values())


def load_trainee(
    settings: TrainSettings, folder: Path, examples: Sequence[Encoded], ranks: Ranks, *, seed: int
) -> Trainee:
    """Load the base of `folder`, attach the adapter, and check that the loss is understood.

    Raises UserError where an example is longer than the model's window, a target or rank does not
    fit, or the head does something its config does not say.
    """
    import torch

    from kofinlaw.trainer.loss import check_head

    if ranks.zero:
        check_settings(settings, ranks.zero)
    elif ranks.sharded and settings.quantization == "int8":
        raise UserError(
            "int8 weights cannot be shared out over processes (FSDP)",
            where="train.quantization",
            remedy="set quantization: nf4 or none, or launch with recipes/accelerate/ddp.yaml",
        )
    sha256 = base_sha256(folder)
    base = _load_base(settings, folder, ranks)
    storage = str(base.dtype).rsplit(".", 1)[-1]
    _check_window(base, examples)
    model = adapters.attach_adapter(base, settings.lora, seed=seed)
    if settings.lora.initialization == "loftq":
        fill_quantization_gap(model, folder, seed=seed)
    if settings.start_from is not None:
        start_from(model, settings.start_from, base_sha256=sha256)
    patch_lora_forward(model)
    if ranks.sharded and not ranks.zero:  # ZeRO shares it out with its optimizer, later
        shard(model, ranks)
    if checkpointing(settings, ranks):
        base.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    ids = torch.from_numpy(examples[0].tokens[:16]).to(model.device)[None]
    check_head(model, ids, settings.head_chunk_rows)
    start = {name: tensor.clone() for name, tensor in adapters.gathered_tensors(model).items()}
    return Trainee(model, sha256, storage, start, adapters.frozen_checksums(model))


def checkpointing(settings: TrainSettings, ranks: Ranks) -> bool:
    """Whether layers are recomputed in the backward pass."""
    asked = settings.gradient_checkpointing
    return ranks.device.type == "cuda" if asked == "auto" else asked


def _load_base(settings: TrainSettings, folder: Path, ranks: Ranks) -> Any:
    if settings.backend == "unsloth":
        from kofinlaw.trainer.unsloth_backend import load_base

        return load_base(folder, settings)
    from kofinlaw.models.loading import load_model

    base = load_model(
        folder,
        quantization=settings.quantization,
        dtype=settings.dtype,
        device="cpu" if ranks.shares_base else str(ranks.device),  # shared out before it moves
        for_training=True,
    )
    attention = settings.attention
    if attention == "auto":
        attention = "sdpa" if ranks.device.type == "cuda" else "eager"
    base.set_attn_implementation(attention)
    return base


def _check_window(model: Any, examples: Sequence[Encoded]) -> None:
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = max(examples, key=len)
    if isinstance(window, int) and len(longest) > window:
        raise UserError(
            f"example {longest.id} has {len(longest)} tokens, the model's window is {window}",
            where="train.max_length",
            remedy=f"set max_length to {window} or less",
        )
