"""Load the model to train: a frozen base with a new adapter, checked and identified."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from kofinlaw import UserError
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer import zero
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.contrast.packing import why_not_packed
from kofinlaw.trainer.device.card_forms import takes_card_form
from kofinlaw.trainer.device.kept_layers import keep_layers
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.initialisation import fill_quantization_gap, load_start_adapter
from kofinlaw.trainer.lora_pass import patch_lora_forward
from kofinlaw.trainer.loss import check_head
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sharding import shard_model

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = [
    "Trainee",
    "adapted_model",
    "check_trainee",
    "checked_trainee",
    "load_trainee",
    "start_of",
    "use_gradient_checkpointing",
]


@dataclass(frozen=True)
class Trainee:
    """The model under training.

    `base_sha256` identifies the base, `storage_dtype` is the number format of its unquantised
    weights. `start` holds the trained tensors before step 1, `frozen` the checksums of all others.
    `not_packed` says why the options of an item need separate rows; empty if one row is exact.
    """

    model: PeftModel
    base_sha256: str
    storage_dtype: str
    start: Mapping[str, Tensor]
    frozen: Mapping[str, int]
    not_packed: str = ""

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(tensor.numel() for tensor in self.start.values())


def load_trainee(
    settings: TrainSettings, folder: Path, examples: Sequence[Encoded], ranks: Ranks, *, seed: int
) -> Trainee:
    """Load the base of `folder`, attach the adapter, and check our loss against the model's own.

    Raises UserError if an example is longer than the model's window, a target or rank does not
    fit, the settings do not fit the kind of launch, more layers are to be kept than there are, the
    start adapter cannot be used, or the output head does something that its config does not state.
    """
    if ranks.zero_stage:
        zero.check_settings(settings, ranks.zero_stage)
    elif ranks.sharded and settings.quantization == "int8":
        raise UserError(
            "int8 weights cannot be sharded over processes (FSDP)",
            where="train.quantization",
            remedy="set quantization: nf4 or none, or launch with recipes/accelerate/ddp.yaml",
        )
    sha256 = base_sha256(folder)
    base = _load_base(settings, folder, ranks)
    storage = str(base.dtype).rsplit(".", 1)[-1]
    _check_window(base, examples)

    def fill(model: PeftModel) -> None:
        if settings.lora.initialization == "loftq":
            fill_quantization_gap(model, folder, seed=seed)
        if settings.start_from is not None:
            load_start_adapter(model, settings.start_from, base_sha256=sha256)

    recompute = use_gradient_checkpointing(settings, ranks)
    model = adapted_model(base, settings, ranks, seed=seed, recompute=recompute, fill=fill)
    return checked_trainee(model, settings, examples, base_sha256=sha256, storage_dtype=storage)


def adapted_model(
    base: PreTrainedModel,
    settings: TrainSettings,
    ranks: Ranks,
    *,
    seed: int,
    recompute: bool,
    fill: Callable[[PeftModel], None] | None = None,
) -> PeftModel:
    """Attach the adapter and our LoRA pass, and return the model in training mode.

    `recompute` turns gradient checkpointing on. `fill` may set the adapter's start before the pass
    is replaced. Raises UserError as `attach_adapter`, and if more layers are to be kept than there
    are.
    """
    model = adapters.attach_adapter(base, settings.lora, seed=seed)
    if fill is not None:
        fill(model)
    patch_lora_forward(model, fused=takes_card_form(ranks.device) and not ranks.sharded)
    if ranks.sharded and not ranks.zero_stage:  # ZeRO shards it with its optimizer, later
        shard_model(model, ranks)
    if recompute:
        base.gradient_checkpointing_enable({"use_reentrant": False})
        keep_layers(model, 0 if settings.kept_layers == "auto" else settings.kept_layers)
    model.train()
    return model


def checked_trainee(
    model: PeftModel,
    settings: TrainSettings,
    examples: Sequence[Encoded],
    *,
    base_sha256: str,
    storage_dtype: str,
) -> Trainee:
    """Check the model as `check_trainee`, and keep its start and the checksums of its base."""
    not_packed = check_trainee(model, settings, examples)
    start = start_of(model)
    frozen = adapters.frozen_checksums(model)
    return Trainee(model, base_sha256, storage_dtype, start, frozen, not_packed)


def check_trainee(model: PeftModel, settings: TrainSettings, examples: Sequence[Encoded]) -> str:
    """Check the head on the model; return why options of an item need separate rows, or nothing.

    Raises UserError as `why_not_packed` and `check_head`.
    """
    not_packed = why_not_packed(model, examples, settings)
    ids = torch.from_numpy(examples[0].tokens[:16]).to(model.device)[None]
    check_head(model, ids, settings.head_chunk_rows)
    return not_packed


def start_of(model: PeftModel) -> dict[str, Tensor]:
    """Return copies of the trained tensors by name, whole on every process."""
    return {name: tensor.clone() for name, tensor in adapters.gathered_tensors(model).items()}


def use_gradient_checkpointing(settings: TrainSettings, ranks: Ranks) -> bool:
    """Return whether layers are recomputed in the backward pass."""
    asked = settings.gradient_checkpointing
    return takes_card_form(ranks.device) if asked == "auto" else asked


def _load_base(settings: TrainSettings, folder: Path, ranks: Ranks) -> PreTrainedModel:
    from kofinlaw.models.loading import load_model

    base = load_model(
        folder,
        quantization=settings.quantization,
        dtype=settings.dtype,
        device="cpu" if ranks.shards_base else str(ranks.device),  # it is sharded before it moves
        for_training=True,
    )
    attention = settings.attention
    if attention == "auto":
        attention = "sdpa" if ranks.device.type == "cuda" else "eager"
    base.set_attn_implementation(attention)
    if settings.backend == "liger":
        from kofinlaw.trainer.liger_backend import apply_liger

        apply_liger(base)
    return base


def _check_window(model: PreTrainedModel, examples: Sequence[Encoded]) -> None:
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = max(examples, key=lambda example: example.span)
    if isinstance(window, int) and longest.span > window:
        raise UserError(
            f"example {longest.id} has {longest.span} tokens, the model's window is {window}",
            where="train.max_length",
            remedy=f"set max_length to {window} or less",
        )
