"""Attach LoRA layers to a frozen base, check what training changed, and write the adapter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import Module

from kofinlaw import UserError
from kofinlaw.files import sha256_file
from kofinlaw.trainer.initialisation import ADAPTER, CONFIG, RECORD, peft_init, subtract_start
from kofinlaw.trainer.loss import causal_model
from kofinlaw.trainer.settings import LoraSettings
from kofinlaw.trainer.sharding import full_tensor, local_tensor

# peft and transformers take seconds to import, so functions import them when they need them.
if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = [
    "adapter_sha256",
    "attach_adapter",
    "check_frozen",
    "disable_dropout",
    "frozen_checksums",
    "gathered_tensors",
    "linear_layers",
    "target_names",
    "trainable",
    "unchanged_parameters",
    "write_adapter",
]

CHECKSUM_PART = 1 << 24  # elements; torch casts a whole part to 64 bits before it adds


def linear_layers(model: Module) -> dict[str, tuple[int, int]]:
    """Return (inputs, outputs) of every linear layer by full name, without the output head.

    Layers are found by class, so 4-bit and 8-bit layers are included and embeddings are not.
    """
    base = causal_model(model)
    head = base.get_output_embeddings()
    return {
        name: (module.in_features, module.out_features)
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }


def target_names(model: Module, settings: LoraSettings) -> list[str]:
    """Return the last parts of the names of the layers that get an adapter.

    Raises UserError if a target matches no layer (the existing names are listed) or if the rank is
    larger than a layer.
    """
    layers = linear_layers(model)
    leaves = sorted({name.rsplit(".", 1)[-1] for name in layers})
    wanted = leaves if settings.targets == "all-linear" else list(settings.targets)
    for target in wanted:
        found = [n for n in layers if n == target or n.endswith("." + target)]
        if not found:
            raise UserError(
                f"no layer is called {target!r}",
                where="train.lora.targets",
                remedy="this model has: " + ", ".join(leaves),
            )
        smallest = min(min(layers[name]) for name in found)
        if settings.rank > smallest:
            raise UserError(
                f"rank {settings.rank} is larger than layer {target!r}, whose smaller side is "
                f"{smallest}",
                where="train.lora.rank",
                remedy=f"use a rank of at most {smallest}, or remove that layer from the targets",
            )
    return wanted


def attach_adapter(model: PreTrainedModel, settings: LoraSettings, *, seed: int) -> PeftModel:
    """Freeze `model` and return it with a new float32 adapter, initialised from `seed`.

    TRL and autocast make bf16 adapters. There the small updates of a low learning rate are rounded
    away, and the result depends on the split of a step. Here weights and gradients stay float32.
    Raises UserError as `target_names`, and if the model has fewer than `last_layers` layers.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=target_names(model, settings),
        use_rslora=settings.rank_stabilized,
        use_dora=settings.decomposed,
        layers_to_transform=_top_layers(model, settings.last_layers),
        bias="none",
        init_lora_weights=peft_init(settings.initialization),
    )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    disable_dropout(model)
    torch.manual_seed(seed)
    adapted = get_peft_model(model, config, autocast_adapter_dtype=True)
    for _, parameter in trainable(adapted):
        parameter.data = parameter.data.float()
    return adapted


def _top_layers(model: Module, count: int | None) -> list[int] | None:
    """Return the indices of the last `count` layers; None means all layers."""
    if count is None:
        return None
    layers = causal_model(model).config.get_text_config().num_hidden_layers
    if count > layers:
        raise UserError(
            f"the model has {layers} layers, but {count} are required",
            where="train.lora.last_layers",
        )
    return list(range(layers - count, layers))


def disable_dropout(model: Module) -> None:
    """Disable the base's own dropout (OPT has 0.1), which would make a step depend on its split."""
    names = ("dropout", "attention_dropout", "activation_dropout", "hidden_dropout", "layerdrop")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name in names:
            if isinstance(module.__dict__.get(name), float):
                setattr(module, name, 0.0)


def trainable(model: Module) -> Iterator[tuple[str, Tensor]]:
    """Yield (name, parameter) of every trained parameter in the order of the model."""
    return ((n, p) for n, p in model.named_parameters() if p.requires_grad)


def frozen_checksums(model: Module) -> dict[str, int]:
    """Return a checksum of every frozen tensor by name: the sum of its values read as integers."""
    checksums: dict[str, int] = {}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if tensor.requires_grad:
            continue
        flat = local_tensor(tensor).detach().contiguous().reshape(-1)
        width = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
        parts = flat.view(width[flat.element_size()]).split(CHECKSUM_PART)
        checksums[name] = sum(int(part.sum(dtype=torch.int64)) for part in parts)
    return checksums


def check_frozen(model: Module, before: Mapping[str, int]) -> None:
    """Compare the frozen tensors with their checksums `before` training.

    Raises RuntimeError if a tensor has changed: this is a bug, not a mistake of the user.
    """
    after = frozen_checksums(model)
    changed = [name for name, checksum in before.items() if after[name] != checksum]
    if changed:
        raise RuntimeError(f"frozen tensors changed during training: {', '.join(changed[:5])}")


def adapter_sha256(folder: Path) -> str:
    """Compute the SHA-256 of the tensors of an adapter on the disk."""
    return sha256_file(folder / ADAPTER)


def unchanged_parameters(model: Module, before: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the trained tensors that are equal to the whole tensors `before`."""
    return [
        name
        for name, tensor in trainable(model)
        if bool((full_tensor(tensor) == before[name]).all())
    ]


def gathered_tensors(model: Module) -> dict[str, Tensor]:
    """Return the trained tensors by name, whole on every process; all processes must call this."""
    return {name: full_tensor(parameter).detach() for name, parameter in trainable(model)}


def write_adapter(
    model: PeftModel,
    tensors: Mapping[str, Tensor],
    folder: Path,
    *,
    base_name: str,
    record: Mapping[str, object],
    minus: Mapping[str, Tensor] | None = None,
) -> None:
    """Write peft's two files and `kofinlaw.json` into an existing folder.

    Args:
        model: the model with the adapter.
        tensors: the trained tensors (`gathered_tensors`).
        folder: where the files go.
        base_name: the name of the base; a path of this machine would mean nothing elsewhere.
        record: the content of `kofinlaw.json`.
        minus: the start that PiSSA subtracted from the base, by parameter name.
    """
    model.save_pretrained(
        folder,
        safe_serialization=True,
        save_embedding_layers=False,
        selected_adapters=["default"],
        state_dict=tensors,
    )
    if minus is not None:
        subtract_start(folder, minus)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_name
    config["target_modules"] = sorted(config["target_modules"], key=_natural)
    config["inference_mode"] = True
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    (folder / RECORD).write_text(text, encoding="utf-8")


def _natural(name: str) -> list[int | str]:
    """Sort key that compares the digits in a name as numbers."""
    return [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)]
