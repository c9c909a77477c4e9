"""Reproduce from 16-bit weights the 4-bit values that training used."""

from __future__ import annotations

import torch

from kofinlaw.trainer.merge.adapter_files import Quantization

__all__ = ["storage_dtype", "training_values"]


def storage_dtype(quantization: Quantization) -> str:
    """Return the format the model was loaded in before its weights were quantised,
    as torch names it.
    """
    return str(quantization.get("storage_dtype") or quantization["compute_dtype"])


def training_values(
    weight: torch.Tensor, quantization: Quantization, device: str | None = None
) -> torch.Tensor:
    """Quantise and dequantise a weight as training held it.

    Follows `Linear4bit`: the weight, in the format the model was loaded in, is quantised in
    blocks, and with `double_quant` its scales are quantised too. The forward pass dequantises to
    that format and casts to `compute_dtype`. This calls bitsandbytes' functions and not a
    `Linear4bit` module, which repacks its weights on CPUs with AVX512-BF16.

    Args:
        weight: any shape, any float format.
        quantization: the record, with `type`, `block_size`, `double_quant` and `compute_dtype`.
        device: where to compute; None takes the GPU where there is one.

    Returns float32 on the CPU, in the weight's shape.
    """
    from bitsandbytes import functional  # only a 4-bit base needs it

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
