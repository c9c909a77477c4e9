"""Build the attention mask of packed rows: a token sees its own part and the part of its prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

# transformers takes seconds to import, so functions import it when they need it.
if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

__all__ = ["CannotPackError", "RowLayout", "layer_masks"]

FULL, SLIDING = "full_attention", "sliding_attention"


class CannotPackError(ValueError):
    """The attention of a model cannot follow the mask of packed rows; the message says why."""


@dataclass(frozen=True, slots=True)
class RowLayout:
    """How the tokens of packed rows see each other; three int64 tensors [b, n].

    `positions` is the position of a token in its branch. A token sees the tokens before it whose
    part is its own part (`own`) or the part of its prompt (`parent`).
    """

    positions: Tensor
    own: Tensor
    parent: Tensor

    def visible(self, window: int | None = None) -> Tensor:
        """Return which token (first index) sees which other one, bool [b, 1, n, n].

        `window` is the number of positions that a layer with sliding attention sees, the token's
        own included; None: all.
        """
        own = self.own[:, None, :]
        seen = (own == self.own[:, :, None]) | (own == self.parent[:, :, None])
        seen = seen.tril()
        if window is not None:
            distance = self.positions[:, :, None] - self.positions[:, None, :]
            seen = seen & (distance < window)
        return seen[:, None]


def layer_masks(model: PreTrainedModel, layout: RowLayout) -> Tensor | Mapping[str, Tensor]:
    """Return the mask of packed rows in the form that `model` takes.

    It is one tensor, or a tensor for each kind of layer if there are several (Gemma 3). Raises
    CannotPackError for a kind of layer that has no such mask (linear attention, convolutions).
    """
    config = model.config.get_text_config()
    kinds = _layer_kinds(config)
    if unknown := sorted(kinds - {FULL, SLIDING}):
        raise CannotPackError(f"a model of type {config.model_type} has layers of {unknown[0]}")
    masks = {
        kind: _in_form_of(model, layout.visible(config.sliding_window if kind == SLIDING else None))
        for kind in kinds
    }
    return masks if len(masks) > 1 else next(iter(masks.values()))


def _layer_kinds(config: PretrainedConfig) -> set[str]:
    """Return the kinds of attention in the layers of a model, according to its config."""
    if kinds := getattr(config, "layer_types", None):
        return set(kinds)
    slides = getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True)
    return {SLIDING} if slides else {FULL}


def _in_form_of(model: PreTrainedModel, seen: Tensor) -> Tensor:
    """Return a mask as the attention takes it: bool for sdpa, numbers to add for eager."""
    if model.config._attn_implementation == "sdpa":
        return seen
    hidden = torch.zeros(seen.shape, dtype=model.dtype, device=seen.device)
    return hidden.masked_fill_(~seen, torch.finfo(model.dtype).min)
