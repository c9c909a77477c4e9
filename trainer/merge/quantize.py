"""The 4-bit values training saw, reproduced from the 16-bit weights."""

from __future__ import annotations

from typing import Any


def storage_dtype(quantization: dict[str, Any]) -> str:
    """The format the model was loaded in before its weights were quantised, as torch names it."""
    return str(quantization.get("storage_dtype") or quantization["compute_dtype"])


def training_values(weight: Any, quantization: dict[str, Any], device: str | None = None) -> Any:
    """Quantise and dequantise a weight as training held it; returns float32 on the CPU.

    Follows what `Linear4bit` does: the weight in the format the model was loaded in is quantised
    in blocks, its scales a second time with `double_quant`; the forward pass dequantises to that
    format and casts to `compute_dtype`. Only bitsandbytes' functions are called: a `Linear4bit`
    module repacks its weights on CPUs with AVX512-BF16.
    """
    import torch
    from bitsandbytes import functional

    target = device or ("cuda" if torch.cuda.is_available() else "cpu")
    loaded = weight.to(target).to(getattr(torch, storage_dtype(quantization)))
    # As one row: bitsandbytes 0.50 on CPU misreads scales where a block spans two rows.
    packed, state = functional.quantize_4bit(
        loaded.reshape(1, -1).contiguous(),
        blocksize=int(quantization["block_size"]),
        compress_statistics=bool(quantization["double_quant"]),
        quant_type=quantization["type"],
    )
    value = functional.dequantize_4bit(packed, state).reshape(weight.shape)
    return value.to(getattr(torch, quantization["compute_dtype"])).float().cpu()
