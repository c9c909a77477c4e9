"""Run a LoRA layer with few copies and keep float32 gradients.

peft casts a 16-bit input to the adapter's float32, multiplies, casts back, scales and adds. On a
CPU that takes a third of a step. Here the two thin products run in the format of the input and are
added to the base's output in one call. Only the sums that become the gradients of A and B are
formed in float32, so the result does not depend on the split of a step. If the base layer is a
plain frozen `nn.Linear`, one function runs both, and neither the output nor the gradient of the
input is copied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import Module

# peft is not imported here: it imports transformers, and Unsloth must be imported before that.
if TYPE_CHECKING:
    from peft.tuners.lora import LoraLayer
    from torch.autograd.function import FunctionCtx


def patch_lora_forward(model: Module) -> int:
    """Replace the forward pass of every plain LoRA layer of `model`; return how many were replaced.

    Layers with dropout, DoRA or more than one adapter keep peft's own forward pass.
    """
    from peft.tuners.lora import LoraLayer

    count = 0
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
            module.forward = _forward_of(module, names[0])
            count += 1
    return count


def _forward_of(layer: LoraLayer, name: str) -> Callable[..., Tensor]:
    """Return the new forward pass of a layer whose only adapter is called `name`."""
    peft_forward = layer.forward

    def forward(x: Tensor, *arguments: object, **keywords: object) -> Tensor:
        other = list(layer.active_adapters) != [name]  # the reference model of DPO
        if other or layer.disable_adapters or layer.merged or arguments or keywords:
            return peft_forward(x, *arguments, **keywords)
        a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
        base, scaling = layer.base_layer, layer.scaling[name]
        if _is_plain_linear(base):
            return LoraLinear.apply(x, base.weight, base.bias, a, b, scaling)
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
    gradient_b = (upstream.float().T @ inner.float()).mul_(scaling)
    return outer, outer.float().T @ rows.float(), gradient_b


def _flat(tensor: Tensor) -> Tensor:
    return tensor.reshape(-1, tensor.shape[-1])


def _in_shape_of(other: Tensor, rows: Tensor) -> Tensor:
    return rows.view(*other.shape[:-1], rows.shape[-1])
