"""Base + adapter as training held them, for the merged model to be compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.scoring.verify_weights import plain_weight
from kofinlaw.trainer.merge_adapter import Adapter, read_object


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
    one (`original`). Raises UserError for a quantisation that cannot be loaded again."""
    quantization = adapter.quantization if kind == "dequantized" else None
    if quantization is None:
        config = read_object(base / "config.json")
        stored: Any = config.get("dtype") or config.get("torch_dtype") or "float32"
        return load_model(base, dtype=stored, adapter=adapter.folder)
    kept = (
        quantization.get("type"),
        quantization.get("block_size"),
        quantization.get("double_quant"),
    )
    if kept != ("nf4", 64, True):
        raise UserError(
            f"a base quantised as {kept} cannot be loaded for comparison",
            where=str(adapter.folder / "kofinlaw.json"),
            remedy="merge on the original and verify that",
        )
    return load_model(
        base, quantization="nf4", dtype=quantization["compute_dtype"], adapter=adapter.folder
    )


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
