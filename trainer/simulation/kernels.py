"""Say which kernels a card runs in a training step, and what they allocate inside themselves.

The simulation uses fake tensors of a processor, because autograd of fake CUDA tensors needs a CUDA
build of torch. Here the choices are those of a card: attention runs in FlashAttention or in the
memory-efficient kernel, and a 4-bit product dequantises its weight first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from kofinlaw.trainer.simulation.ledger import Operator

__all__ = [
    "DEQUANTISED",
    "card_attention",
    "card_dropout",
    "flash_backward_bytes",
    "inside_kernels",
    "made_kinds",
    "replaced_operators",
    "simulated_functions",
    "varlen_backward_bytes",
]

DEQUANTISED = "one dequantised weight"
FLASH_TYPES = (torch.bfloat16, torch.float16)
FLASH_WIDTH = 256  # largest head size of FlashAttention
ROW_BLOCK = 128  # FlashAttention rounds lengths up to this in its backward pass


def replaced_operators(number: Callable[[], float] | None) -> dict[Operator, Callable[..., object]]:
    """Return the functions that a ledger runs in place of operators.

    `number` answers what the step reads from a tensor that has no values; None: tensors have them.
    """
    import bitsandbytes  # noqa: F401 - registers its operators

    replaced: dict[Operator, Callable[..., object]] = {
        torch.ops.bitsandbytes.gemm_4bit.default: _multiply_4bit
    }
    if number is not None:
        # Its form for fake tensors compares a torch.Size with a list, and fails.
        replaced[torch.ops.bitsandbytes.dequantize_4bit.out] = _dequantise_into

        def read(tensor: Tensor) -> float | int | bool:
            if tensor.dtype is torch.bool:
                return False
            return number() if tensor.is_floating_point() else int(number())

        replaced[torch.ops.aten._local_scalar_dense.default] = read
    return replaced


def inside_kernels(*, card: bool) -> dict[Operator, Callable[..., int]]:
    """Return the operators whose kernels allocate memory that no other operator makes."""
    if not card:
        return {}
    import torch.nn.attention.varlen

    return {
        torch.ops.aten._scaled_dot_product_flash_attention_backward.default: _flash_backward,
        torch.ops.torch_attn._varlen_attn_backward.default: _varlen_backward,
    }


def made_kinds() -> dict[Operator, str]:
    """Return the kind of what an operator makes, whichever part of the step calls it."""
    unpacking = torch.ops.bitsandbytes.dequantize_4bit
    return {unpacking.default: DEQUANTISED, unpacking.out: DEQUANTISED}


@contextmanager
def simulated_functions(*, card: bool) -> Iterator[None]:
    """Replace three functions while a step is simulated, in this process.

    - transformers' search for packed sequences reads values. Its answer is always "none", because
      our packed rows bring their own mask.
    - Attention and dropout run the kernels of a card, if the simulation is for one.
    """
    from transformers import masking_utils

    functions = torch.nn.functional
    packed, attention, dropout = (
        masking_utils.find_packed_sequence_indices,
        functions.scaled_dot_product_attention,
        functions.dropout,
    )
    masking_utils.find_packed_sequence_indices = lambda *_, **__: None
    if card:
        functions.scaled_dot_product_attention = card_attention
        functions.dropout = card_dropout
    try:
        yield
    finally:
        masking_utils.find_packed_sequence_indices = packed
        functions.scaled_dot_product_attention = attention
        functions.dropout = dropout


def card_dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Drop numbers as a card does: its kernel keeps a byte for each number, not a factor."""
    if not training or p == 0:
        return input
    return torch.ops.aten.native_dropout(input, p, True)[0]


def card_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Call the attention kernel that torch chooses on a card of 2020 or later.

    Without a mask this is FlashAttention (16 bit, heads of at most 256). With a mask it is the
    memory-efficient kernel, which takes numbers to add instead of a bool mask. Shared keys
    (`enable_gqa`) outside of FlashAttention run in plain operators.
    Source: `_fused_sdp_choice` in ATen/native/transformers/cuda/sdp_utils.cpp of torch 2.13.
    """
    flash = query.dtype in FLASH_TYPES and query.shape[-1] <= FLASH_WIDTH
    if attn_mask is None and flash:
        return torch.ops.aten._scaled_dot_product_flash_attention(
            query, key, value, dropout_p, is_causal, False, scale=scale
        )[0]
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        hidden = attn_mask.logical_not()
        attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill_(hidden, -math.inf)
    if enable_gqa and key.shape[1] != query.shape[1]:
        return torch.ops.aten._scaled_dot_product_attention_math(
            query, key, value, attn_mask, dropout_p, is_causal, None, scale=scale, enable_gqa=True
        )[0]
    if attn_mask is not None:
        attn_mask = attn_mask.expand(*query.shape[:3], key.shape[2])
    return torch.ops.aten._scaled_dot_product_efficient_attention(
        query, key, value, attn_mask, True, dropout_p, is_causal, scale=scale
    )[0]


def flash_backward_bytes(query: Sequence[int], key: Sequence[int]) -> int:
    """Return the bytes that the backward pass of FlashAttention allocates inside its kernel.

    Args:
        query: shape of the query, [batch, heads, length, head size].
        key: shape of the key, [batch, key heads, length, head size].

    These are the gradient of the query and the row sums in float32, with lengths rounded up to 128.
    If query heads share keys, keys and values also get 16-bit gradients for every query head.
    Source: `mha_bwd` in ATen/native/transformers/cuda/flash_attn/flash_api.cpp of torch 2.13.
    """
    batch, heads, length, width = query
    rows = batch * -(-length // ROW_BLOCK) * ROW_BLOCK
    size = rows * heads * (_rounded(width) + 1) * 4
    if key[1] != heads:
        size += 2 * batch * heads * key[2] * width * 2
    return size


def varlen_backward_bytes(query: Sequence[int], key: Sequence[int], examples: int) -> int:
    """Return the same for rows of several examples end to end.

    Args:
        query: shape of the query, [tokens, heads, head size].
        key: shape of the key, [tokens, key heads, head size].
        examples: number of examples; each one takes 128 rows more.

    Source: `mha_varlen_bwd`, next to `mha_bwd`.
    """
    tokens, heads, width = query
    size = (tokens + ROW_BLOCK * examples) * heads * (_rounded(width) + 1) * 4
    if key[1] != heads:
        size += 2 * key[0] * heads * width * 2
    return size


def _rounded(width: int) -> int:
    """Return the head size that FlashAttention's backward pass computes with."""
    step = 32 if width <= 128 else 64
    return -(-width // step) * step


def _flash_backward(_: Tensor, query: Tensor, key: Tensor, *rest: object, **more: object) -> int:
    return flash_backward_bytes(query.shape, key.shape)


def _varlen_backward(
    gradient: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
    sums: Tensor,
    ends: Tensor,
    *rest: object,
    **more: object,
) -> int:
    return varlen_backward_bytes(query.shape, key.shape, len(ends) - 1)


def _dequantise_into(
    packed: Tensor,
    absmax: Tensor,
    blocksize: int,
    quant_type: str,
    shape: Sequence[int],
    dtype: torch.dtype,
    out: Tensor,
) -> None:
    """Check what the kernel of a card checks; fake tensors get no values."""
    if tuple(out.shape) != tuple(shape) or out.dtype != dtype:
        raise ValueError(f"a weight {tuple(shape)} of {dtype} does not fit {tuple(out.shape)}")


def _multiply_4bit(
    rows: Tensor,
    packed: Tensor,
    shape: Sequence[int],
    absmax: Tensor,
    blocksize: int,
    quant_type: str,
    bias: Tensor | None = None,
    absmax_8bit: Tensor | None = None,
    absmax_code: Tensor | None = None,
    absmax_offset: Tensor | None = None,
) -> Tensor:
    """Multiply by a 4-bit weight as bitsandbytes does for more than 1,536 rows: dequantise first.

    Its kernels for fewer rows need less memory.
    """
    operators = torch.ops.bitsandbytes
    if absmax_8bit is not None and absmax_offset is not None:
        scales = operators.dequantize_blockwise.default(
            absmax_8bit, absmax, absmax_code, 256, torch.float32
        )
        absmax = scales + absmax_offset
    weight = operators.dequantize_4bit.default(
        packed, absmax, blocksize, quant_type, shape, rows.dtype
    )
    return torch.nn.functional.linear(rows, weight, bias)
