"""Initialise an adapter: by PiSSA, by LoftQ, or from an adapter that was trained before.

PiSSA (Meng et al. 2024, arXiv 2404.02948) starts from the largest singular directions of the base
and subtracts them from the base. The saved adapter is the difference to that start: an ordinary
adapter of twice the rank on the unchanged base. LoftQ (Li et al. 2023, arXiv 2310.08659) starts
from the error of the 4-bit quantisation, with one iteration, so that base and adapter together
start close to the original model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import Module

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.weight_headers import weight_files
from kofinlaw.trainer.loss import causal_model

# peft and transformers take seconds to import, so functions import them when they need them.
if TYPE_CHECKING:
    from peft import PeftModel

__all__ = [
    "ADAPTER",
    "CONFIG",
    "POWER_ITERATIONS",
    "RECORD",
    "fill_quantization_gap",
    "load_start_adapter",
    "peft_init",
    "subtract_start",
]

ADAPTER, CONFIG, RECORD = "adapter_model.safetensors", "adapter_config.json", "kofinlaw.json"
POWER_ITERATIONS = 16


def peft_init(initialization: str) -> bool | str:
    """Return peft's `init_lora_weights` for a recipe's `lora.initialization`."""
    return f"pissa_niter_{POWER_ITERATIONS}" if initialization == "pissa" else True


def fill_quantization_gap(model: Module, folder: Path, *, seed: int) -> None:
    """Start each adapter (LoftQ) at the best rank-r fit of (16-bit weight - its 4-bit form).

    `folder` holds the 16-bit weights of the quantised base. Raises UserError if the weight of a
    layer has another name there.
    """
    from bitsandbytes.functional import dequantize_4bit
    from peft.tuners.lora import LoraLayer

    handles = [safe_open(path, framework="pt") for path in weight_files(folder)]
    where = {name: handle for handle in handles for name in handle.keys()}  # noqa: SIM118 - not a dict
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, layer in causal_model(model).named_modules():
            if not isinstance(layer, LoraLayer):
                continue
            if f"{name}.weight" not in where:
                raise UserError(
                    f"the files of the model have no weight called {name}.weight",
                    where="train.lora.initialization",
                    remedy="use initialization: default",
                )
            quantized = layer.get_base_layer().weight
            kept = dequantize_4bit(quantized.data, quantized.quant_state).float()
            original = where[f"{name}.weight"].get_tensor(f"{name}.weight").to(kept)
            key = next(iter(layer.lora_A))
            a, b = layer.lora_A[key].weight, layer.lora_B[key].weight
            u, s, v = torch.svd_lowrank(original - kept, q=a.shape[0], niter=POWER_ITERATIONS)
            root = (s / layer.scaling[key]).sqrt()
            a.copy_((v * root).T)
            b.copy_(u * root)


def load_start_adapter(model: PeftModel, adapter: Path, *, base_sha256: str) -> None:
    """Copy the weights of a trained adapter into the new adapter of `model`.

    Raises UserError if it cannot be read, was trained on another base, or has other layers, ranks
    or scaling.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    try:
        record = dict(load_json((adapter / RECORD).read_text(encoding="utf-8")))
        config = dict(load_json((adapter / CONFIG).read_text(encoding="utf-8")))
        tensors = load_file(adapter / ADAPTER)
    except (OSError, ValueError, TypeError) as error:
        raise_if_machine(error, adapter)
        raise UserError(f"this adapter cannot be read: {error}", where=str(adapter)) from error
    if record.get("base_sha256") != base_sha256:
        raise UserError(
            f"the adapter belongs to another base: {record.get('base_id')}",
            where=str(adapter),
            remedy="name an adapter that was trained on the model of this recipe",
        )
    mine = {name: tuple(t.shape) for name, t in get_peft_model_state_dict(model).items()}
    theirs = {name: tuple(t.shape) for name, t in tensors.items()}
    here = model.peft_config["default"]
    scaling = ("lora_alpha", "use_rslora", "use_dora")
    if mine != theirs or any(config.get(key) != getattr(here, key) for key in scaling):
        raise UserError(
            "the adapter has other layers, another rank or another scaling than train.lora",
            where=str(adapter),
            remedy=f"the adapter has rank {config.get('r')}, alpha {config.get('lora_alpha')}, "
            f"targets {', '.join(config.get('target_modules') or ())}",
        )
    set_peft_model_state_dict(model, tensors)


def subtract_start(folder: Path, start: Mapping[str, Tensor]) -> None:
    """Turn the PiSSA adapter in `folder` into an ordinary adapter on the unchanged base.

    With A, B trained and A₀, B₀ at the `start` (tensors by parameter name), the base was
    W - s·B₀A₀. On W the adapter is therefore [B, -B₀]·[A; A₀] with the same scaling s.
    """
    tensors = load_file(folder / ADAPTER)
    before = {name.replace(".default", ""): t.detach().cpu() for name, t in start.items()}
    doubled = {
        name: torch.cat([t, before[name]], dim=0)
        if ".lora_A." in name
        else torch.cat([t, -before[name]], dim=1)
        for name, t in tensors.items()
    }
    save_file(doubled, folder / ADAPTER, metadata={"format": "pt"})
    path = folder / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config["r"] *= 2
    config["lora_alpha"] *= math.sqrt(2) if config["use_rslora"] else 2
    config["init_lora_weights"] = True
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
