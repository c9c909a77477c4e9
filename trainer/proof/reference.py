"""Base + adapter as training held them, for the merged model to be compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kofinlaw.models.loading import load_model
from kofinlaw.trainer.merge.adapter_files import Adapter, read_object
from kofinlaw.trainer.merge.quantize import storage_dtype
from kofinlaw.trainer.proof.weights import plain_weight


def compute_dtype(asked: str) -> Any:
    """The format both models compute in: `auto` is float32 on a CPU, bfloat16 on a GPU.

    Float32 shows the weights alone; in bfloat16 the two ways of adding the adapter (beside the
    weight, inside it) also round differently.
    """
    if asked != "auto":
        return asked
    import torch

    return "bfloat16" if torch.cuda.is_available() else "float32"


def load_reference(base: Path, adapter: Adapter, kind: str) -> Any:
    """The peft model the merge claims to be: on the 4-bit base (`dequantized`) or on the 16-bit
    one (`original`)."""
    quantization = adapter.quantization if kind == "dequantized" else None
    if quantization is None:
        config = read_object(base / "config.json")
        stored: Any = config.get("dtype") or config.get("torch_dtype") or "float32"
        return load_model(base, dtype=stored, adapter=adapter.folder)
    compute = quantization["compute_dtype"]
    kept = [quantization.get(key) for key in ("type", "block_size", "double_quant")]
    if kept == ["nf4", 64, True]:
        return load_model(base, quantization="nf4", dtype=compute, adapter=adapter.folder)
    stored = storage_dtype(quantization)
    model = load_model(base, dtype=stored, adapter=adapter.folder)  # type: ignore[arg-type]
    hold_quantised_values(model, quantization)
    return model


def hold_quantised_values(model: Any, quantization: dict[str, Any]) -> None:
    """Replace the weights that training held in 4 bits by their values, in place.

    transformers offers one block size and one way of double quantisation; bitsandbytes' own
    parameter class knows the others. Which layers: as recorded, else every Linear but the head.
    """
    import torch
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


def as_float32(reference: Any) -> None:
    """Let the peft model compute in float32, its 4-bit layers replaced by the values they hold."""
    import torch
    from bitsandbytes.nn import Linear4bit

    with torch.no_grad():
        for module in list(reference.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, Linear4bit):  # peft's own layers around them are not
                    setattr(module, name, _plain_linear(child))
    reference.float()


def _plain_linear(layer: Any) -> Any:
    import torch

    linear = torch.nn.Linear(layer.in_features, layer.out_features, layer.bias is not None, "meta")
    linear.weight = torch.nn.Parameter(plain_weight(layer), requires_grad=False)
    if layer.bias is not None:
        linear.bias = torch.nn.Parameter(layer.bias.float().cpu(), requires_grad=False)
    return linear
