"""Give a model in a simulation the allocations of Liger's kernels (`train.backend: liger`).

Each function allocates, saves and overwrites what Liger's function of the same name does, and
computes nothing: Triton has no kernels for fake tensors. Source: rms_norm.py, swiglu.py and rope.py
in liger_kernel/ops of liger-kernel 0.8.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import Module

from kofinlaw.trainer.liger_backend import require_liger_model

if TYPE_CHECKING:
    from torch.autograd.function import FunctionCtx
    from transformers import PreTrainedModel

__all__ = ["liger_forms"]


@contextmanager
def liger_forms(model: PreTrainedModel) -> Iterator[None]:
    """Let norms, MLPs and rotary embedding of `model` allocate as Liger's, inside of this block.

    Raises UserError for a model that Liger's backend does not know.
    """
    kind = require_liger_model(model)
    from transformers.models.llama import modeling_llama
    from transformers.models.qwen2 import modeling_qwen2

    file = modeling_qwen2 if kind == "qwen2" else modeling_llama
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            module.forward = _norm_of(module)
        elif type(module).__name__.endswith("MLP"):
            module.forward = _mlp_of(module)
    before = file.apply_rotary_pos_emb
    file.apply_rotary_pos_emb = lambda q, k, cos, sin, *_, **__: _Rotary.apply(q, k, cos, sin)
    try:
        yield
    finally:
        file.apply_rotary_pos_emb = before


def _norm_of(module: Module) -> object:
    return lambda states: _Norm.apply(states, module.weight)


def _mlp_of(module: Module) -> object:
    def forward(x: Tensor) -> Tensor:
        return module.down_proj(_SiluProduct.apply(module.gate_proj(x), module.up_proj(x)))

    return forward


class _Norm(torch.autograd.Function):
    """The norm keeps its input in 16 bits and a float32 number for each row."""

    @staticmethod
    def forward(ctx: FunctionCtx, states: Tensor, weight: Tensor) -> Tensor:
        """Return a new tensor like `states`."""
        rows = states.view(-1, states.shape[-1])
        scales = rows.new_empty(len(rows), dtype=torch.float32)
        ctx.save_for_backward(rows, weight, scales)
        return torch.empty_like(states)

    @staticmethod
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the input, which overwrites `upstream`."""
        assert ctx.saved_tensors
        return upstream.contiguous(), None


class _SiluProduct(torch.autograd.Function):
    """The activation keeps its two inputs; their gradients overwrite them."""

    @staticmethod
    def forward(ctx: FunctionCtx, gate: Tensor, up: Tensor) -> Tensor:
        """Return a new tensor like `gate`."""
        ctx.save_for_backward(gate, up)
        return torch.empty_like(gate)

    @staticmethod
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients of both inputs."""
        gate, up = ctx.saved_tensors
        return gate.view_as(gate), up.view_as(up)


class _Rotary(torch.autograd.Function):
    """The rotary embedding overwrites query and key, and keeps cosines and sines."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, query: Tensor, key: Tensor, cos: Tensor, sin: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return query and key [b, h, n, d], whose memory is [b, n, h, d]."""
        ctx.save_for_backward(cos, sin)
        return _physical(query), _physical(key)

    @staticmethod
    def backward(ctx: FunctionCtx, of_query: Tensor, of_key: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of query and key, which overwrite those of the results."""
        return _physical(of_query), _physical(of_key), None, None


def _physical(tensor: Tensor) -> Tensor:
    return tensor.transpose(1, 2).contiguous().transpose(1, 2)
