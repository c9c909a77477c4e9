"""The loss where there is something to learn, and nowhere else.

With 100,000 and more words in the vocabulary the logits are the largest thing in memory. Only
the supervised positions' hidden states reach the head, some rows at a time, and the gradient
with respect to them is formed at once: full logits never exist, and nothing is computed twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kofinlaw import UserError
from kofinlaw.models.memory.heap import trim_heap

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


def causal_model(model: Module) -> Module:
    """The transformers model below peft's wrapper, or the model itself."""
    inner = getattr(model, "get_base_model", None)
    return inner() if inner is not None else model


def hidden_states(model: Module, ids: Tensor) -> Tensor:
    """Last hidden states [b, n, hidden] of `ids` [b, n] padded on the right.

    No attention mask: under causal attention no real token sees the padding behind it.
    """
    decoder: Any = causal_model(model).base_model
    return decoder(input_ids=ids, use_cache=False).last_hidden_state


def supervised_nll(
    model: Module, ids: Tensor, positions: Tensor, targets: Tensor, chunk_rows: int
) -> Tensor:
    """Sum of -log p(target) in nats over the supervised positions, a float32 scalar.

    `ids` is [b, n]; `positions` and `targets` are flat (`batching.pad_micro_batch`).
    Differentiable in every trained parameter of the body. The head may be trained too; its chunks
    are then recomputed in the backward pass.
    """
    import torch

    hidden = hidden_states(model, ids)
    if hidden.device.type == "cpu":
        trim_heap()  # what the layers left free, before the largest tensors of a pass
    rows = hidden.reshape(-1, hidden.shape[-1]).index_select(0, positions)
    base: Any = causal_model(model)
    head = base.get_output_embeddings()
    scale, softcap = head_scale(base.config)
    plain = type(head) is torch.nn.Linear and not any(p.requires_grad for p in head.parameters())
    if plain:
        return _frozen_head()(rows, head.weight, head.bias, targets, scale, softcap, chunk_rows)
    total = rows.new_zeros((), dtype=torch.float32)
    for start in range(0, len(targets), chunk_rows):
        part = slice(start, start + chunk_rows)
        total = total + torch.utils.checkpoint.checkpoint(
            _chunk_nll, head, rows[part], targets[part], scale, softcap, use_reentrant=False
        )
    return total


def head_scale(config: Any) -> tuple[float, float | None]:
    """(factor on the logits, soft cap or None) as the model's config states them.

    Gemma 2 and 3 cap (`final_logit_softcapping`), Granite divides (`logits_scaling`), Cohere
    multiplies (`logit_scale`).
    """
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    scale = float(getattr(text, "logit_scale", None) or 1.0)
    scale /= float(getattr(text, "logits_scaling", None) or 1.0)
    cap = getattr(text, "final_logit_softcapping", None)
    return scale, float(cap) if cap else None


def check_head(model: Module, ids: Tensor, chunk_rows: int) -> None:
    """Compare with the model's own logits on `ids` [1, n], n small; without gradients.

    Raises UserError where they differ: the model's head does something its config does not say,
    and training would minimise another loss than the one the model has when it answers.
    """
    import torch

    base: Any = causal_model(model)
    positions = torch.arange(ids.shape[1] - 1, device=ids.device)
    with torch.no_grad():
        logits = base(input_ids=ids, use_cache=False).logits[0, :-1].float()
        expected = torch.nn.functional.cross_entropy(logits, ids[0, 1:]).item()
        ours = supervised_nll(model, ids, positions, ids[0, 1:], chunk_rows).item() / len(positions)
    if not abs(ours - expected) <= 0.02 * max(1.0, abs(expected)):
        raise UserError(
            f"this model's head is not understood: loss {ours:.4f} against its own {expected:.4f}",
            where=str(getattr(base.config, "model_type", "model")),
            remedy="train another model of the catalogue, and report this one",
        )


def _chunk_nll(
    head: Module, rows: Tensor, targets: Tensor, scale: float, softcap: float | None
) -> Tensor:
    import torch

    logits = head(rows).float() * scale
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    return torch.nn.functional.cross_entropy(logits, targets, reduction="sum")


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
    """Summed -log p(target) of some rows, and where `sloped` its derivative by the head's output.

    One float32 tensor of rows × vocabulary exists at a time, a second one under a soft cap: the
    logits become the exponentials and these the derivative, each in its place.
    """
    import torch

    goal = targets[:, None]
    logits = torch.nn.functional.linear(rows, weight, bias).float()
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
    nll = (mass.log() - chosen).sum()
    if sloped:
        share /= mass
        share.scatter_add_(1, goal, -torch.ones_like(goal, dtype=share.dtype))
        if slope is not None:
            share *= slope
        if scale != 1.0:
            share *= scale
    return nll, share


_FUNCTION: Any = None


def _frozen_head() -> Any:
    """The autograd function, made on first use because torch is not imported before."""
    global _FUNCTION
    if _FUNCTION is not None:
        return _FUNCTION
    import torch

    class FrozenHead(torch.autograd.Function):
        """Cross entropy through a head that is not trained, with its gradient made on the way."""

        @staticmethod
        def forward(
            ctx: Any,
            rows: Tensor,
            weight: Tensor,
            bias: Tensor | None,
            targets: Tensor,
            scale: float,
            softcap: float | None,
            chunk_rows: int,
        ) -> Tensor:
            wanted = ctx.needs_input_grad[0]
            gradient = torch.empty_like(rows) if wanted else None
            total = torch.zeros((), dtype=torch.float32, device=rows.device)
            for start in range(0, len(targets), chunk_rows):
                part = slice(start, start + chunk_rows)
                nll, share = _nll_and_slope(
                    rows[part], weight, bias, targets[part], scale, softcap, sloped=wanted
                )
                total += nll
                if gradient is not None:
                    gradient[part] = share.to(weight.dtype) @ weight
                del share  # before the next chunk's logits
            ctx.gradient = gradient
            return total

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
            gradient, ctx.gradient = ctx.gradient, None
            if gradient is not None:
                gradient = gradient * upstream.to(gradient.dtype)
            return gradient, None, None, None, None, None, None

    _FUNCTION = FrozenHead.apply
    return _FUNCTION
