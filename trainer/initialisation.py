"""Where an adapter starts: PiSSA, LoftQ, or an adapter that was trained before.

PiSSA (Meng et al. 2024, arXiv 2404.02948) starts from the base's largest singular directions and
takes them out of the base. What is saved is the difference to that start, an ordinary adapter of
twice the rank on the untouched base. LoftQ (Li et al. 2023, arXiv 2310.08659) starts from what
4-bit quantisation lost, one iteration, so that base and adapter together begin near the original.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw import UserError
from kofinlaw.trainer.base_identity import weight_files
from kofinlaw.trainer.loss import causal_model

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER, CONFIG = "adapter_model.safetensors", "adapter_config.json"
POWER_ITERATIONS = 16


def peft_start(initialization: str) -> bool | str:
    """peft's `init_lora_weights` for a recipe's `lora.initialization`."""
    return f"pissa_niter_{POWER_ITERATIONS}" if initialization == "pissa" else True


def fill_quantization_gap(model: Any, folder: Path, *, seed: int) -> None:
    """LoftQ: start each adapter at the best rank-r fit of (16-bit weight - its 4-bit form).

    `folder` holds the 16-bit weights the base was quantised from. Raises UserError where a
    layer's weight has another name there.
    """
    import torch
    from bitsandbytes.functional import dequantize_4bit
    from peft.tuners.lora import LoraLayer
    from safetensors import safe_open

    handles = [safe_open(path, framework="pt") for path in weight_files(folder)]
    where = {name: handle for handle in handles for name in handle.keys()}  # noqa: SIM118 - a handle is no dict
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, layer in causal_model(model).named_modules():
            if not isinstance(layer, LoraLayer):
                continue
            if f"{name}.weight" not in where:
                raise UserError(
                    f"no weight called {name}.weight in the model's files",
                    where="train.lora.initialization",
                    remedy="use initialization: default",
                )
            held: Any = layer.get_base_layer().weight
            kept = dequantize_4bit(held.data, held.quant_state).float()
            whole = where[f"{name}.weight"].get_tensor(f"{name}.weight").to(kept)
            key = next(iter(layer.lora_A))
            a, b = layer.lora_A[key].weight, layer.lora_B[key].weight
            u, s, v = torch.svd_lowrank(whole - kept, q=a.shape[0], niter=POWER_ITERATIONS)
            root = (s / layer.scaling[key]).sqrt()
            a.copy_((v * root).T)
            b.copy_(u * root)


def start_from(model: Any, adapter: Path, *, base_sha256: str) -> None:
    """Copy a trained adapter's weights into the fresh one of `model`.

    Raises UserError where it cannot be read, was trained on another base, or has other layers,
    ranks or scaling.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        record = json.loads((adapter / "kofinlaw.json").read_text(encoding="utf-8"))
        config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
        tensors = load_file(adapter / ADAPTER)
    except (OSError, ValueError) as error:
        raise UserError(f"this adapter cannot be read: {error}", where=str(adapter)) from error
    if record.get("base_sha256") != base_sha256:
        raise UserError(
            f"the adapter belongs to another base: {record.get('base_id')}",
            where=str(adapter),
            remedy="name an adapter that was trained on this recipe's model",
        )
    mine = {name: tuple(t.shape) for name, t in get_peft_model_state_dict(model).items()}
    theirs = {name: tuple(t.shape) for name, t in tensors.items()}
    here = model.peft_config["default"]
    scaling = ("lora_alpha", "use_rslora", "use_dora")
    if mine != theirs or any(config.get(key) != getattr(here, key) for key in scaling):
        raise UserError(
            "the adapter has other layers, another rank or another scaling than train.lora",
            where=str(adapter),
            remedy=f"its own: rank {config.get('r')}, alpha {config.get('lora_alpha')}, "
            f"targets {', '.join(config.get('target_modules') or ())}",
        )
    set_peft_model_state_dict(model, tensors)


def subtract_start(folder: Path, start: dict[str, Tensor]) -> None:
    """Turn the PiSSA adapter in `folder` into an ordinary one on the untouched base.

    With A, B trained and A₀, B₀ at the `start` (tensors by parameter name), the base was
    W - s·B₀A₀; so on W the adapter is [B, -B₀]·[A; A₀] with the same scaling s.
    """
    import torch
    from safetensors.torch import load_file, save_file

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
