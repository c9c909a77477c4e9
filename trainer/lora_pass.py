"""A LoRA layer's pass with few copies, float32 gradients kept.

peft casts a 16-bit input to the adapter's float32, multiplies there, casts back, scales and
adds: on a CPU that is a third of a step. Here the two thin products run in the input's format
and land on the base's output in one call; only the sums that become the gradients of A and B are
formed in float32, so that the cuts of a step still agree. Where the base is a plain frozen
`nn.Linear`, both run in one function, and neither the output nor the input's gradient is copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

_FUNCTIONS: tuple[Any, Any] | None = None


def patch_lora_forward(model: Module) -> int:
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
        base, scaling = layer.base_layer, layer.scaling[name]
        linear, delta = _functions()
        if _is_its_weight(base):
            return linear(x, base.weight, base.bias, a, b, scaling)
        return delta(x, base(x), a, b, scaling)

    return forward


def _is_its_weight(base: Any) -> bool:
    """Whether a base layer does no more than multiply by a frozen matrix that is there.

    Not where its weight is quantised, or hooks bring it from elsewhere (offloading, ZeRO-3).
    """
    import torch

    return (
        type(base) is torch.nn.Linear
        and "forward" not in vars(base)
        and not (base._forward_pre_hooks or base._forward_hooks)
        and not any(p.requires_grad for p in base.parameters(recurse=False))
    )


def _functions() -> tuple[Any, Any]:
    """The two functions, made on first use because torch is not imported before.

    (x, weight, bias, A, B, scaling) → x Wᵀ + bias + scaling · x Aᵀ Bᵀ, and
    (x, base output, A, B, scaling) → base output + scaling · x Aᵀ Bᵀ.
    """
    global _FUNCTIONS
    if _FUNCTIONS is not None:
        return _FUNCTIONS
    import torch

    def thin(x: Tensor, a: Tensor, b: Tensor, scaling: float) -> tuple[Tensor, ...]:
        """The input's rows, x Aᵀ, and A and scaling · B in the input's format."""
        rows, thin_a, thin_b = flat(x), a.to(x.dtype), (b * scaling).to(x.dtype)
        return rows, rows @ thin_a.T, thin_a, thin_b

    def slopes(
        scaling: float, upstream: Tensor, rows: Tensor, inner: Tensor, thin_b: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """scaling · upstream B [rows, rank], and the gradients of A and B."""
        outer = upstream @ thin_b
        gradient_b = (upstream.float().T @ inner.float()).mul_(scaling)
        return outer, outer.float().T @ rows.float(), gradient_b

    def flat(tensor: Tensor) -> Tensor:
        return tensor.reshape(-1, tensor.shape[-1])

    def like(rows: Tensor, other: Tensor) -> Tensor:
        return rows.view(*other.shape[:-1], rows.shape[-1])

    class LoraLinear(torch.autograd.Function):
        """A frozen linear layer and its adapter."""

        @staticmethod
        def forward(
            ctx: Any,
            x: Tensor,
            weight: Tensor,
            bias: Tensor | None,
            a: Tensor,
            b: Tensor,
            scaling: float,
        ) -> Tensor:
            rows, inner, thin_a, thin_b = thin(x, a, b, scaling)
            ctx.scaling = scaling
            ctx.save_for_backward(rows, inner, thin_a, thin_b, weight)
            output = torch.nn.functional.linear(rows, weight, bias)
            return like(output.addmm_(inner, thin_b.T), x)

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
            rows, inner, a, b, weight = ctx.saved_tensors
            outer, gradient_a, gradient_b = slopes(ctx.scaling, flat(upstream), rows, inner, b)
            gradient = None
            if ctx.needs_input_grad[0]:
                gradient = like((flat(upstream) @ weight).addmm_(outer, a), upstream)
            return gradient, None, None, gradient_a, gradient_b, None

    class LoraDelta(torch.autograd.Function):
        """Adds the adapter's part to the base layer's output."""

        @staticmethod
        def forward(
            ctx: Any, x: Tensor, output: Tensor, a: Tensor, b: Tensor, scaling: float
        ) -> Tensor:
            rows, inner, thin_a, thin_b = thin(x, a, b, scaling)
            ctx.scaling = scaling
            ctx.save_for_backward(rows, inner, thin_a, thin_b)
            # not in place: where the base layer has a bias its output is a view, and autograd
            # would then hand the wrong gradient back
            return torch.addmm(flat(output), inner, thin_b.T).view_as(output)

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
            rows, inner, a, b = ctx.saved_tensors
            outer, gradient_a, gradient_b = slopes(ctx.scaling, flat(upstream), rows, inner, b)
            gradient = None
            if ctx.needs_input_grad[0]:
                gradient = like(outer @ a, upstream)
            return gradient, upstream, gradient_a, gradient_b, None

    _FUNCTIONS = LoraLinear.apply, LoraDelta.apply
    return _FUNCTIONS
