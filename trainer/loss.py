"""Compute the loss at the supervised positions only, without ever forming all logits.

With 100,000 and more words in the vocabulary the logits are the largest tensor in memory. Only the
hidden states of the supervised positions reach the head, a chunk of rows at a time. The gradient
with respect to these rows is formed together with the loss, so nothing is computed twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import cross_entropy, linear
from torch.utils.checkpoint import checkpoint

from kofinlaw import UserError
from kofinlaw.models.memory.heap import trim_heap
from kofinlaw.trainer.contrast.attention import RowLayout, layer_masks
from kofinlaw.trainer.device.varlen_attention import JoinedRows

# transformers takes seconds to import, so functions import it when they need it.
if TYPE_CHECKING:
    from torch.autograd.function import FunctionCtx
    from transformers import PretrainedConfig, PreTrainedModel

__all__ = [
    "FrozenHeadLoss",
    "causal_model",
    "check_head",
    "head_scale",
    "hidden_states",
    "supervised_nll",
    "token_nll",
]


def causal_model(model: Module) -> PreTrainedModel:
    """Return the transformers model below peft's wrapper, or the model itself."""
    inner = getattr(model, "get_base_model", None)
    return inner() if inner is not None else model


def hidden_states(
    model: Module, ids: Tensor, layout: RowLayout | JoinedRows | None = None
) -> Tensor:
    """Return the last hidden states [b, n, hidden] of `ids` [b, n], which are padded on the right.

    Without `layout` there is no attention mask: under causal attention no real token sees the
    padding after it. `layout` describes packed rows (raises CannotPackError if the model's layers
    cannot follow it), or examples end to end, for a model with varlen attention.
    """
    base = causal_model(model)
    if layout is None:
        return base.base_model(input_ids=ids, use_cache=False).last_hidden_state
    if isinstance(layout, JoinedRows):
        return base.base_model(
            input_ids=ids, use_cache=False, **layout.keywords()
        ).last_hidden_state
    return base.base_model(
        input_ids=ids,
        attention_mask=layer_masks(base, layout),
        position_ids=layout.positions,
        use_cache=False,
    ).last_hidden_state


def supervised_nll(
    model: Module, ids: Tensor, positions: Tensor, targets: Tensor, chunk_rows: int
) -> Tensor:
    """Return the sum of `token_nll` in nats over the supervised positions, a float32 scalar."""
    return token_nll(model, ids, positions, targets, chunk_rows).sum()


def token_nll(
    model: Module,
    ids: Tensor,
    positions: Tensor,
    targets: Tensor,
    chunk_rows: int,
    layout: RowLayout | JoinedRows | None = None,
) -> Tensor:
    """Return -log p(target) in nats at each of m supervised positions, float32 [m].

    The result is differentiable in every trained parameter of the body. The head may be trained
    too; its chunks are then recomputed in the backward pass.

    Args:
        model: a transformers model, or peft's wrapper around one.
        ids: token ids [b, n], padded on the right.
        positions: flat positions to predict from, as `batching.pad_micro_batch` returns them.
        targets: the token id to predict at each position.
        chunk_rows: number of positions whose logits exist at the same time.
        layout: how the tokens of packed rows see each other; None: rows are plain texts.
    """
    hidden = hidden_states(model, ids, layout)
    if hidden.device.type == "cpu":
        trim_heap()  # return what the layers have freed before the largest tensors of the pass
    rows = hidden.reshape(-1, hidden.shape[-1]).index_select(0, positions)
    base = causal_model(model)
    head = base.get_output_embeddings()
    scale, softcap = head_scale(base.config)
    plain = type(head) is torch.nn.Linear and not any(p.requires_grad for p in head.parameters())
    if plain:
        return FrozenHeadLoss.apply(
            rows, head.weight, head.bias, targets, scale, softcap, chunk_rows
        )
    chunks = []
    for start in range(0, len(targets), chunk_rows):
        part = slice(start, start + chunk_rows)
        chunks.append(
            checkpoint(
                _chunk_nll, head, rows[part], targets[part], scale, softcap, use_reentrant=False
            )
        )
    return torch.cat(chunks)


def head_scale(config: PretrainedConfig) -> tuple[float, float | None]:
    """Return (factor of the logits, soft cap or None) according to the config of the model.

    Gemma 2 and 3 cap the logits (`final_logit_softcapping`), Granite divides them
    (`logits_scaling`), Cohere multiplies them (`logit_scale`).
    """
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    scale = float(getattr(text, "logit_scale", None) or 1.0)
    scale /= float(getattr(text, "logits_scaling", None) or 1.0)
    cap = getattr(text, "final_logit_softcapping", None)
    return scale, float(cap) if cap else None


def check_head(model: Module, ids: Tensor, chunk_rows: int) -> None:
    """Compare our loss with the loss of the model's own logits on `ids` [1, n], without gradients.

    Raises UserError if they differ. The head then does something that its config does not state,
    and training would minimise another loss than the one that the model has when it answers.
    """
    base = causal_model(model)
    positions = torch.arange(ids.shape[1] - 1, device=ids.device)
    with torch.no_grad():
        logits = base(input_ids=ids, use_cache=False).logits[0, :-1].float()
        expected = cross_entropy(logits, ids[0, 1:]).item()
        ours = supervised_nll(model, ids, positions, ids[0, 1:], chunk_rows).item() / len(positions)
    if not abs(ours - expected) <= 0.02 * max(1.0, abs(expected)):
        raise UserError(
            "the output head of this model is not supported: our loss is "
            f"{ours:.4f}, the model's own is {expected:.4f}",
            where=str(getattr(base.config, "model_type", "model")),
            remedy="train another model of the catalogue, and report this one",
        )


class FrozenHeadLoss(torch.autograd.Function):
    """Cross entropy through a frozen head; the forward pass forms the gradient as well."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        rows: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        scale: float,
        softcap: float | None,
        chunk_rows: int,
    ) -> Tensor:
        """Return the loss of each of `rows` [m, hidden] against `targets` [m], float32 [m]."""
        wanted = ctx.needs_input_grad[0]
        gradient = torch.empty_like(rows) if wanted else None
        losses = torch.empty(len(targets), dtype=torch.float32, device=rows.device)
        for start in range(0, len(targets), chunk_rows):
            part = slice(start, start + chunk_rows)
            nll, share = _nll_and_slope(
                rows[part], weight, bias, targets[part], scale, softcap, sloped=wanted
            )
            losses[part] = nll
            if gradient is not None:
                gradient[part] = share.to(weight.dtype) @ weight
            del share  # before the logits of the next chunk
        ctx.gradient = gradient
        return losses

    @staticmethod
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the rows, each scaled by its own `upstream` [m]."""
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is not None:
            gradient = (gradient * upstream[:, None]).to(gradient.dtype)
        return gradient, None, None, None, None, None, None


def _chunk_nll(
    head: Module, rows: Tensor, targets: Tensor, scale: float, softcap: float | None
) -> Tensor:
    logits = head(rows).float() * scale
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    return cross_entropy(logits, targets, reduction="none")


def _nll_and_slope(
    rows: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    scale: float,
    softcap: float | None,
    *,
    sloped: bool,
) -> tuple[Tensor, Tensor]:
    """Return -log p(target) of each row and, if `sloped`, its derivative by the head's output.

    One float32 tensor of rows × vocabulary exists at a time, a second one under a soft cap. The
    logits become the exponentials and these become the derivative, each in the same memory.
    """
    goal = targets[:, None]
    logits = linear(rows, weight, bias).float()
    if scale != 1.0:
        logits *= scale
    if softcap is not None:
        logits = logits.div_(softcap).tanh_().mul_(softcap)
    slope = None
    if softcap is not None and sloped:
        slope = (logits / softcap).square_().neg_().add_(1)
    most = logits.amax(dim=-1, keepdim=True)
    chosen = logits.gather(1, goal) - most
    share = logits.sub_(most).exp_()
    mass = share.sum(dim=-1, keepdim=True)
    nll = (mass.log() - chosen)[:, 0]
    if sloped:
        share /= mass
        share.scatter_add_(1, goal, -torch.ones_like(goal, dtype=share.dtype))
        if slope is not None:
            share *= slope
        if scale != 1.0:
            share *= scale
    return nll, share
