"""Run a LoRA layer with few copies and keep float32 gradients.

peft casts a 16-bit input to the adapter's float32, multiplies, casts back, scales and adds. On a
CPU that takes a third of a step. Here the two thin products run in the format of the input and are
added to the base's output in one call. Only the sums that become the gradients of A and B are
formed in float32, so the result does not depend on the split of a step. If the base layer is a
plain frozen `nn.Linear`, or on a card a 4-bit layer, one function runs both, and neither the output
nor the gradient of the input is copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import Module

from kofinlaw.trainer.device.card_forms import takes_card_form

# peft and transformers take seconds to import, so functions import them when they need them.
if TYPE_CHECKING:
    from peft.tuners.lora import LoraLayer
    from torch.autograd.function import FunctionCtx

__all__ = [
    "LoraDelta",
    "LoraLinear",
    "LoraPacked",
    "UnpackedWeight",
    "float32_product",
    "patch_lora_forward",
]


def patch_lora_forward(model: Module, *, fused: bool | None = None) -> int:
    """Replace the forward pass of every plain LoRA layer of `model`; return how many were replaced.

    Layers with dropout, DoRA or more than one adapter keep peft's own forward pass. `fused` runs a
    4-bit base layer and its adapter in one function, which sums a gradient in another order; None:
    on a card. It must be off where the weights are sharded.
    """
    from peft.tuners.lora import LoraLayer

    count = 0
    if fused is None:
        fused = takes_card_form(next(model.parameters()).device)
    buffer = UnpackedWeight() if fused else None
    for module in model.modules():
        if not isinstance(module, LoraLayer) or not isinstance(module, Module):
            continue
        names = list(module.lora_A)
        plain = (
            len(names) == 1
            and isinstance(module.lora_dropout[names[0]], torch.nn.Identity)
            and not module.use_dora.get(names[0], False)
            and isinstance(module.get_base_layer(), torch.nn.Linear)
            and module.lora_B[names[0]].bias is None
        )
        if plain:
            module.forward = _forward_of(module, names[0], buffer)
            count += 1
    return count


def _forward_of(
    layer: LoraLayer, name: str, buffer: UnpackedWeight | None
) -> Callable[..., Tensor]:
    """Return the new forward pass of a layer whose only adapter is called `name`.

    With a `buffer` a 4-bit base layer runs in one function with its adapter.
    """
    peft_forward = layer.forward

    def forward(x: Tensor, *arguments: object, **keywords: object) -> Tensor:
        other = list(layer.active_adapters) != [name]  # the reference model of DPO
        if other or layer.disable_adapters or layer.merged or arguments or keywords:
            return peft_forward(x, *arguments, **keywords)
        a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
        base, scaling = layer.base_layer, layer.scaling[name]
        if _is_plain_linear(base):
            return LoraLinear.apply(x, base.weight, base.bias, a, b, scaling)
        if buffer is not None and _is_packed(base, x):
            return LoraPacked.apply(x, base, a, b, scaling, buffer)
        return LoraDelta.apply(x, base(x), a, b, scaling)

    return forward


def _is_plain_linear(base: Module) -> bool:
    """Return whether a base layer only multiplies by a frozen matrix that is in memory.

    It does not if its weight is quantised or brought by hooks (offloading, ZeRO-3).
    """
    return (
        type(base) is torch.nn.Linear
        and "forward" not in vars(base)
        and not (base._forward_pre_hooks or base._forward_hooks)
        and not any(p.requires_grad for p in base.parameters(recurse=False))
    )


def _is_packed(base: Module, x: Tensor) -> bool:
    """Return whether a base layer is a 4-bit layer that computes in the format of `x`."""
    state = getattr(getattr(base, "weight", None), "quant_state", None)
    return (
        type(base).__name__ == "Linear4bit"
        and state is not None
        and state.dtype == base.compute_dtype == x.dtype
        and "forward" not in vars(base)
        and not (base._forward_pre_hooks or base._forward_hooks)
    )


class UnpackedWeight:
    """One buffer for the 16-bit forms of 4-bit weights, which one layer after the other uses."""

    def __init__(self) -> None:
        self.memory: Tensor | None = None

    def of(self, base: Module) -> Tensor:
        """Return the weight of a 4-bit layer in 16 bits; it is valid until the next call."""
        from bitsandbytes.functional import dequantize_4bit

        state, packed = base.weight.quant_state, base.weight.view(-1, 1)
        count, kind, memory = math.prod(state.shape), state.dtype, self.memory
        usable = memory is not None and memory.dtype == kind and memory.device == packed.device
        if memory is None or not usable or memory.numel() < count:
            self.memory = None  # free it before a larger one is made
            self.memory = memory = torch.empty(count, dtype=kind, device=packed.device)
        weight = memory[:count].view(state.shape)
        if takes_card_form(packed.device):
            return dequantize_4bit(packed, state, out=weight)
        return weight.copy_(dequantize_4bit(packed, state))  # no such output on a processor


class LoraLinear(torch.autograd.Function):
    """A frozen linear layer together with its adapter."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        a: Tensor,
        b: Tensor,
        scaling: float,
    ) -> Tensor:
        """Return x Wᵀ + bias + scaling · x Aᵀ Bᵀ."""
        rows, inner, thin_a, thin_b = _thin(x, a, b, scaling)
        ctx.scaling = scaling
        ctx.save_for_backward(rows, inner, thin_a, thin_b, weight)
        output = torch.nn.functional.linear(rows, weight, bias)
        return _in_shape_of(x, output.addmm_(inner, thin_b.T))

    @staticmethod
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, A and B."""
        rows, inner, a, b, weight = ctx.saved_tensors
        outer, gradient_a, gradient_b = _slopes(ctx.scaling, _flat(upstream), rows, inner, b)
        gradient = None
        if ctx.needs_input_grad[0]:
            gradient = _in_shape_of(upstream, (_flat(upstream) @ weight).addmm_(outer, a))
        return gradient, None, None, gradient_a, gradient_b, None


class LoraPacked(torch.autograd.Function):
    """A frozen 4-bit linear layer together with its adapter.

    The output of the base layer is made inside, without autograd, so it is no view, and the
    adapter's part is added in place.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        x: Tensor,
        base: Module,
        a: Tensor,
        b: Tensor,
        scaling: float,
        buffer: UnpackedWeight,
    ) -> Tensor:
        """Return x Wᵀ + bias + scaling · x Aᵀ Bᵀ."""
        rows, inner, thin_a, thin_b = _thin(x, a, b, scaling)
        ctx.base, ctx.buffer, ctx.scaling = base, buffer, scaling
        ctx.save_for_backward(rows, inner, thin_a, thin_b)
        return _in_shape_of(x, base(rows).addmm_(inner, thin_b.T))

    @staticmethod
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, A and B."""
        rows, inner, a, b = ctx.saved_tensors
        flat = _flat(upstream)
        outer, gradient_a, gradient_b = _slopes(ctx.scaling, flat, rows, inner, b)
        gradient = None
        if ctx.needs_input_grad[0]:
            gradient = (flat @ ctx.buffer.of(ctx.base)).addmm_(outer, a)
            gradient = _in_shape_of(upstream, gradient)
        return gradient, None, gradient_a, gradient_b, None, None


class LoraDelta(torch.autograd.Function):
    """The adapter's part, added to the output of the base layer."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, output: Tensor, a: Tensor, b: Tensor, scaling: float
    ) -> Tensor:
        """Return output + scaling · x Aᵀ Bᵀ."""
        rows, inner, thin_a, thin_b = _thin(x, a, b, scaling)
        ctx.scaling = scaling
        ctx.save_for_backward(rows, inner, thin_a, thin_b)
        # Not in place: if the base layer has a bias, its output is a view, and autograd would then
        # return the wrong gradient.
        return torch.addmm(_flat(output), inner, thin_b.T).view_as(output)

    @staticmethod
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, output, A and B."""
        rows, inner, a, b = ctx.saved_tensors
        outer, gradient_a, gradient_b = _slopes(ctx.scaling, _flat(upstream), rows, inner, b)
        gradient = None
        if ctx.needs_input_grad[0]:
            gradient = _in_shape_of(upstream, outer @ a)
        return gradient, upstream, gradient_a, gradient_b, None


def _thin(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> tuple[Tensor, ...]:
    """Return the rows of the input, x Aᵀ, and A and scaling · B in the format of the input."""
    rows, thin_a, thin_b = _flat(x), a.to(x.dtype), (b * scaling).to(x.dtype)
    return rows, rows @ thin_a.T, thin_a, thin_b


def _slopes(
    scaling: float, upstream: Tensor, rows: Tensor, inner: Tensor, thin_b: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return scaling · upstream B [rows, rank], and the gradients of A and B."""
    outer = upstream @ thin_b
    gradient_b = float32_product(upstream, inner).mul_(scaling)
    return outer, float32_product(outer, rows), gradient_b


def float32_product(one: Tensor, other: Tensor) -> Tensor:
    """Return oneᵀ · other [k, m] of [n, k] and [n, m], summed and returned in float32.

    A card sums products of 16-bit numbers in float32 without float32 copies of them. The processor
    has no such product, so it makes the copies.
    """
    if takes_card_form(one.device) and one.dtype in (torch.bfloat16, torch.float16):
        return torch.mm(one.T, other, out_dtype=torch.float32)
    return one.float().T @ other.float()


def _flat(tensor: Tensor) -> Tensor:
    return tensor.reshape(-1, tensor.shape[-1])


def _in_shape_of(other: Tensor, rows: Tensor) -> Tensor:
    return rows.view(*other.shape[:-1], rows.shape[-1])
