"""Attend within each example of a row that holds several examples end to end.

On a card with 16-bit numbers torch's flash kernel for sequences of any length runs once for the
row (`torch.nn.attention.varlen`; *not run on a card*). Elsewhere each example is attended to by
itself, which is the reference of the tests. transformers makes no mask for this attention.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import Module

from kofinlaw.trainer.device.card_forms import takes_card_form

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["KERNEL_TYPES", "NAME", "JoinedRows", "use_varlen_attention", "varlen_attention"]

NAME = "kofinlaw_varlen"
KERNEL_TYPES = (torch.float16, torch.bfloat16)


@dataclass(frozen=True, slots=True)
class JoinedRows:
    """Where the examples of one row [1, n] are.

    `positions` [1, n] count from 0 in each example. `ends` [k + 1] are 0 and the ends of the k
    examples, int32. `longest` is the length of the longest one in tokens.
    """

    positions: Tensor
    ends: Tensor
    longest: int

    def keywords(self) -> dict[str, Tensor | int]:
        """Return the keywords by which transformers hands the ends to its attention."""
        return {
            "position_ids": self.positions,
            "cu_seq_lens_q": self.ends,
            "cu_seq_lens_k": self.ends,
            "max_length_q": self.longest,
            "max_length_k": self.longest,
        }


def use_varlen_attention(model: PreTrainedModel) -> None:
    """Let the layers of `model` attend within the examples of joined rows.

    Rows that are not joined are attended to as usual: causally, without padding on the left.
    """
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, varlen_attention)
    model.set_attn_implementation(NAME)


def varlen_attention(
    module: Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    cu_seq_lens_q: Tensor | None = None,
    max_length_q: int | None = None,
    **more: object,
) -> tuple[Tensor, None]:
    """Return the attention of `query` [b, h, n, d] as [b, n, h, d]; the form of transformers.

    A mask [b, 1, n, n] is followed by torch's own attention. Raises NotImplementedError for capped
    scores, for learned sinks and for dropout.
    """
    if softcap or s_aux is not None or dropout:
        raise NotImplementedError("capped scores, sinks and dropout in varlen attention")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if attention_mask is not None:
        found = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, scale=scale, enable_gqa=True
        )
        return found.transpose(1, 2).contiguous(), None
    rows, _, length, _ = query.shape
    flat = [_end_to_end(tensor) for tensor in (query, key, value)]
    if cu_seq_lens_q is None or max_length_q is None:
        ends = torch.arange(rows + 1, dtype=torch.int32, device=query.device) * length
        longest = length
    else:
        ends, longest = cu_seq_lens_q, max_length_q
    if takes_card_form(query.device) and query.dtype in KERNEL_TYPES:
        found = _by_kernel(flat, ends, longest, scale, sliding_window)
    else:
        found = _one_by_one(flat, ends, scale, sliding_window)
    return found.view(rows, length, *found.shape[1:]), None


def _end_to_end(tensor: Tensor) -> Tensor:
    """Return [b, h, n, d] as [b·n, h, d]."""
    return tensor.transpose(1, 2).reshape(-1, tensor.shape[1], tensor.shape[3])


def _by_kernel(
    flat: Sequence[Tensor], ends: Tensor, longest: int, scale: float, window: int | None
) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = flat
    found = varlen_attn(
        query,
        key,
        value,
        ends,
        ends,
        longest,
        longest,
        scale=scale,
        window_size=(-1 if window is None else window - 1, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(found, Tensor)
    return found


def _one_by_one(flat: Sequence[Tensor], ends: Tensor, scale: float, window: int | None) -> Tensor:
    """Attend to each example by itself, with the sums in the order of transformers' `eager`."""
    query, key, value = flat
    groups = query.shape[1] // key.shape[1]
    bounds = ends.tolist()
    pieces = []
    for start, end in itertools.pairwise(bounds):
        q, k, v = (t[start:end].transpose(0, 1) for t in (query, key, value))
        if groups > 1:
            k, v = (t.repeat_interleave(groups, dim=0) for t in (k, v))
        scores = q @ k.transpose(1, 2) * scale
        length = end - start
        seen = torch.ones(length, length, dtype=torch.bool, device=q.device).tril()
        if window is not None:
            seen = seen.triu(1 - window)
        scores = scores.masked_fill(~seen, torch.finfo(scores.dtype).min)
        weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
        pieces.append((weights @ v).transpose(0, 1))
    return torch.cat(pieces)
