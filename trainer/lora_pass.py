"""A LoRA layer's pass with few copies, float32 gradients kept.

peft casts a 16-bit input to the adapter's float32, multiplies there, casts back, scales and
adds: on a CPU that is a third of a step. Here the two thin products run in the input's format
and land on the base's output in one call; only the sums that become the gradients of A and B are
formed in float32, so that the cuts of a step still agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

_FUNCTION: Any = None


def quicken(model: Module) -> int:
    """Give every plain LoRA layer of `model` the pass above; returns how many got it.

    Layers with dropout, DoRA or more than one adapter keep peft's own.
    """
    import torch
    from peft.tuners.lora import LoraLayer

    count = 0
    for module in model.modules():
        if not isinstance(module, LoraLayer) or not isinstance(module, torch.nn.Module):
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


def _forward_of(layer: Any, name: str) -> Any:
    """The layer's new forward, bound to it as an attribute of the instance."""
    peft_forward = layer.forward

    def forward(x: Tensor, *arguments: Any, **keywords: Any) -> Tensor:
        other = list(layer.active_adapters) != [name]  # a reference's turn (DPO)
        if other or layer.disable_adapters or layer.merged or arguments or keywords:
            return peft_forward(x, *arguments, **keywords)
        a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
        return lora_delta()(x, layer.base_layer(x), a, b, layer.scaling[name])

    return forward


def lora_delta() -> Any:
    """The function (x, base output, A, B, scaling) → base output + scaling · x Aᵀ Bᵀ."""
    global _FUNCTION
    if _FUNCTION is not None:
        return _FUNCTION
    import torch

    class LoraDelta(torch.autograd.Function):
        """Adds the adapter's part to the base layer's output."""

        @staticmethod
        def forward(
            ctx: Any, x: Tensor, output: Tensor, a: Tensor, b: Tensor, scaling: float
        ) -> Tensor:
            rows = x.reshape(-1, x.shape[-1])
            thin_a, thin_b = a.to(x.dtype), b.to(x.dtype)
            inner = rows @ thin_a.T
            ctx.save_for_backward(rows, inner, thin_a, thin_b)
            ctx.scaling = scaling
            # not in place: where the base layer has a bias its output is a view, and autograd
            # would then hand the wrong gradient back
            flat = output.reshape(-1, output.shape[-1])
            return torch.addmm(flat, inner, thin_b.T, alpha=scaling).view_as(output)

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
            rows, inner, a, b = ctx.saved_tensors
            flat = upstream.reshape(-1, upstream.shape[-1])
            outer = flat @ b
            gradient = None
            if ctx.needs_input_grad[0]:
                gradient = (outer @ a).mul_(ctx.scaling).view(*upstream.shape[:-1], a.shape[1])
            gradient_a = (outer.float().T @ rows.float()).mul_(ctx.scaling)
            gradient_b = (flat.float().T @ inner.float()).mul_(ctx.scaling)
            return gradient, upstream, gradient_a, gradient_b, None

    _FUNCTION = LoraDelta.apply
    return _FUNCTION
