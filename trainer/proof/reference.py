"""Load base + adapter as training held them: the reference that a merged model must match."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from peft import PeftModel

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.models.settings import Dtype
from kofinlaw.trainer.merge.adapter_files import Adapter, Quantization
from kofinlaw.trainer.merge.json_objects import read_object
from kofinlaw.trainer.merge.quantize import storage_dtype
from kofinlaw.trainer.proof.weights import plain_weight

__all__ = ["DTYPES", "as_float32", "compute_dtype", "hold_quantised_values", "load_reference"]

DTYPES: tuple[Dtype, ...] = ("bfloat16", "float16", "float32")


def compute_dtype(setting: Literal["auto"] | Dtype) -> Dtype:
    """Return the format both models compute in: `auto` is float32 on a CPU, bfloat16 on a GPU.

    In float32 a difference comes from the weights alone. In bfloat16, adding the adapter next to
    the weight and inside the weight also round differently.
    """
    if setting != "auto":
        return setting
    return "bfloat16" if torch.cuda.is_available() else "float32"


def load_reference(base: Path, adapter: Adapter, kind: str) -> PeftModel:
    """Return the peft model that the merge must equal.

    `kind` is `dequantized` (on the 4-bit base) or `original` (on the 16-bit base). Raises
    UserError where base or adapter do not load.
    """
    quantization = adapter.quantization if kind == "dequantized" else None
    if quantization is None:
        config = read_object(base / "config.json")
        stored = str(config.get("dtype") or config.get("torch_dtype") or "float32")
        return load_model(base, dtype=_dtype(stored, base), adapter=adapter.folder)
    compute = _dtype(quantization["compute_dtype"], adapter.folder)
    kept = (quantization.get("type"), quantization.get("block_size"))
    if kept == ("nf4", 64) and quantization.get("double_quant") is True:
        return load_model(base, quantization="nf4", dtype=compute, adapter=adapter.folder)
    loaded_as = _dtype(storage_dtype(quantization), adapter.folder)
    model = load_model(base, dtype=loaded_as, adapter=adapter.folder)
    hold_quantised_values(model, quantization)
    return model


def _dtype(name: str, where: Path) -> Dtype:
    for known in DTYPES:
        if name == known:
            return known
    raise UserError(f"models are loaded as {', '.join(DTYPES)}, not {name}", where=str(where))


def hold_quantised_values(model: PeftModel, quantization: Quantization) -> None:
    """Replace the weights that training held in 4 bits by their values, in place.

    transformers supports one block size and one form of double quantisation; bitsandbytes'
    parameter class supports the others. The layers are the recorded ones, or else every linear
    layer but the head.
    """
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Params4bit

    recorded = quantization.get("modules")
    inner = model.base_model.model
    with torch.no_grad():
        for name, module in inner.named_modules():
            layer = getattr(module, "base_layer", module)
            plain = name.removesuffix(".base_layer")
            wanted = plain in recorded if recorded is not None else plain != "lm_head"
            is_factor = ".lora_" in name or name.endswith(".base_layer")
            if not isinstance(layer, torch.nn.Linear) or is_factor or not wanted:
                continue
            packed = Params4bit(
                layer.weight.data,
                requires_grad=False,
                quant_type=quantization["type"],
                blocksize=int(quantization["block_size"]),
                compress_statistics=bool(quantization["double_quant"]),
            ).to(layer.weight.device)
            value = dequantize_4bit(packed.data, packed.quant_state)
            layer.weight.data = value.to(getattr(torch, quantization["compute_dtype"]))


def as_float32(reference: PeftModel) -> None:
    """Make the peft model compute in float32, with its 4-bit layers replaced by their values."""
    from bitsandbytes.nn import Linear4bit

    with torch.no_grad():
        for module in list(reference.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, Linear4bit):  # peft's layers around them are of another class
                    setattr(module, name, _plain_linear(child))
    reference.float()


def _plain_linear(layer: torch.nn.Linear) -> torch.nn.Linear:
    """Return a float32 layer on the CPU with the values that a 4-bit layer multiplies by."""
    linear = torch.nn.Linear(layer.in_features, layer.out_features, layer.bias is not None, "meta")
    linear.weight = torch.nn.Parameter(plain_weight(layer), requires_grad=False)
    if layer.bias is not None:
        linear.bias = torch.nn.Parameter(layer.bias.float().cpu(), requires_grad=False)
    return linear
