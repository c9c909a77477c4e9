"""The 4-bit values training saw, reproduced from the 16-bit weights."""

from __future__ import annotations

from typing import Any


def training_values(weight: Any, quantization: dict[str, Any], device: str | None = None) -> Any:
    """Quantise and dequantise a weight as training held it; returns float32 on the CPU.

    Follows what `Linear4bit` does: the weight in the dtype the model was loaded in
    (`storage_dtype` of the record, else `compute_dtype`) is quantised in blocks, its scales a
    second time with `double_quant`; the forward pass dequantises to that dtype and casts to
    `compute_dtype`. Only bitsandbytes' functions are called: a `Linear4bit` module repacks its
    weights on CPUs with AVX512-BF16.
    """
    import torch
    from bitsandbytes import functional

    compute = getattr(torch, quantization["compute_dtype"])
    storage = getattr(torch, quantization.get("storage_dtype") or quantization["compute_dtype"])
    target = device or ("cuda" if torch.cuda.is_available() else "cpu")
    packed, state = functional.quantize_4bit(
        weight.to(target).to(storage).contiguous(),
        blocksize=int(quantization["block_size"]),
        compress_statistics=bool(quantization["double_quant"]),
        quant_type=quantization["type"],
    )
    return functional.dequantize_4bit(packed, state).to(compute).float().cpu()
