"""The trained part: LoRA layers on a frozen base, their check, and their files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw import UserError
from kofinlaw.files import sha256_file
from kofinlaw.trainer.initialisation import peft_start, subtract_start
from kofinlaw.trainer.loss import causal_model
from kofinlaw.trainer.settings import LoraSettings
from kofinlaw.trainer.sharding import full_tensor, local_tensor

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


def linear_layers(model: Module) -> dict[str, tuple[int, int]]:
    """Full name → (inputs, outputs) of every linear layer but the output head.

    Goes by class, so that 4-bit and 8-bit layers count and embeddings do not.
    """
    import torch

    base: Any = causal_model(model)
    head = base.get_output_embeddings()
    return {
        name: (module.in_features, module.out_features)
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }


def target_names(model: Module, settings: LoraSettings) -> list[str]:
    """Last name parts of the layers that get an adapter.

    Raises UserError where a target matches nothing (the names that exist are listed) or the rank
    is larger than a layer.
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
                remedy=f"use a rank of at most {smallest}, or leave that layer out",
            )
    return wanted


def attach_adapter(model: Module, settings: LoraSettings, *, seed: int) -> Any:
    """The model with a fresh adapter in float32 on a frozen base, initialised from `seed`.

    TRL and autocast hand out bf16 adapters, in which the small updates of a low learning rate are
    rounded away and the cuts of a step stop agreeing; here weights and gradients stay float32.
    """
    import torch
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
        init_lora_weights=peft_start(settings.initialization),
    )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    disable_dropout(model)
    torch.manual_seed(seed)
    adapted: Any = get_peft_model(model, config, autocast_adapter_dtype=True)
    for _, parameter in trainable(adapted):
        parameter.data = parameter.data.float()
    return adapted


def _top_layers(model: Module, count: int | None) -> list[int] | None:
    if count is None:
        return None
    base: Any = causal_model(model)
    layers = base.config.get_text_config().num_hidden_layers
    if count > layers:
        raise UserError(
            f"the model has {layers} layers, {count} were asked for", where="train.lora.last_layers"
        )
    return list(range(layers - count, layers))


def disable_dropout(model: Module) -> None:
    """Switch off the base's own dropout (OPT has 0.1): it would make a step depend on its cut."""
    import torch

    names = ("dropout", "attention_dropout", "activation_dropout", "hidden_dropout", "layerdrop")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name in names:
            if isinstance(module.__dict__.get(name), float):
                setattr(module, name, 0.0)


def trainable(model: Module) -> Iterator[tuple[str, Tensor]]:
    """(name, parameter) of what is trained, in the model's order."""
    return ((n, p) for n, p in model.named_parameters() if p.requires_grad)


def frozen_checksums(model: Module) -> dict[str, int]:
    """A checksum of every tensor that must not change: the sum of its bytes, with overflow."""
    import torch

    marks: dict[str, int] = {}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if tensor.requires_grad:
            continue
        flat = local_tensor(tensor).detach().contiguous().reshape(-1)
        width = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
        marks[name] = int(flat.view(width[flat.element_size()]).sum(dtype=torch.int64))
    return marks


def check_frozen(model: Module, before: dict[str, int]) -> None:
    """Raise RuntimeError where a tensor that must not change has another checksum than `before`."""
    after = frozen_checksums(model)
    changed = [name for name, mark in before.items() if after[name] != mark]
    if changed:
        raise RuntimeError(f"frozen tensors changed while training: {', '.join(changed[:5])}")


def adapter_sha256(folder: Path) -> str:
    """SHA-256 of an adapter's tensors on the disk."""
    return sha256_file(folder / "adapter_model.safetensors")


def unchanged_parameters(model: Module, before: dict[str, Tensor]) -> list[str]:
    """Names of trained tensors that are equal to what they were (whole) `before`."""
    return [
        name
        for name, tensor in trainable(model)
        if bool((full_tensor(tensor) == before[name]).all())
    ]


def gathered_tensors(model: Any) -> dict[str, Tensor]:
    """The trained tensors by name, whole on every process; all processes must ask for them."""
    return {name: full_tensor(parameter).detach() for name, parameter in trainable(model)}


def write_adapter(
    model: Any,
    tensors: dict[str, Tensor],
    folder: Path,
    *,
    base_name: str,
    record: dict[str, Any],
    minus: dict[str, Tensor] | None = None,
) -> None:
    """peft's two files and `kofinlaw.json` (the record) into an existing folder.

    `tensors` are the trained ones (`gathered_tensors`). The base is named, not located: a path of
    this machine would mean nothing elsewhere. `minus` is the start that was taken out of the base
    (PiSSA).
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
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_name
    config["target_modules"] = sorted(config["target_modules"], key=_natural)
    config["inference_mode"] = True
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    (folder / "kofinlaw.json").write_text(text, encoding="utf-8")


def _natural(name: str) -> list[Any]:
    return [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)]
