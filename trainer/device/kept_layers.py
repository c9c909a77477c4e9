"""Choose which layers keep their activations instead of computing them again.

With gradient checkpointing a layer keeps its input only, and runs its forward pass again in the
backward pass. That is a third of a step's arithmetic on a frozen base. Memory that no pass needs
can hold the activations of some layers instead (docs/decisions/162). The results are the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.nn import Module

from kofinlaw import UserError

if TYPE_CHECKING:
    from transformers.modeling_layers import GradientCheckpointingLayer

__all__ = ["PassMemory", "fastest_budget", "keep_layers", "kept_layers", "layers_to_recompute"]


def layers_to_recompute(model: Module) -> list[GradientCheckpointingLayer]:
    """Return the layers that gradient checkpointing covers, in order; empty if it is off.

    A layer that keeps its activations is one of them.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    found = [m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]
    # transformers sets this function when checkpointing is switched on.
    return [layer for layer in found if "_gradient_checkpointing_func" in vars(layer)]


def kept_layers(model: Module) -> int:
    """Return how many layers keep their activations; 0 if gradient checkpointing is off."""
    return sum(not layer.gradient_checkpointing for layer in layers_to_recompute(model))


def keep_layers(model: Module, count: int) -> None:
    """Let the last `count` layers keep their activations, and all others compute them again.

    The backward pass begins with the last layers, so their memory is free when the first layer is
    computed again. Raises UserError if there are fewer layers; 0 is possible without checkpointing.
    """
    layers = layers_to_recompute(model)
    if count > len(layers):
        raise UserError(
            f"{count} layers cannot keep their activations: {len(layers)} layers are recomputed",
            where="train.kept_layers",
            remedy="set it to auto or to a smaller number",
        )
    for number, layer in enumerate(layers):
        layer.gradient_checkpointing = number < len(layers) - count


@dataclass(frozen=True, slots=True)
class PassMemory:
    """The memory of a step in bytes: fixed + tokens · (per_token + kept · per_kept).

    `layers` is how many layers can keep their activations.
    """

    fixed: float
    per_token: float
    per_kept: float
    layers: int

    def tokens(self, limit: float, kept: int) -> int:
        """Return how many tokens a pass may have under `limit` bytes; 0 if none."""
        each = self.per_token + kept * self.per_kept
        return max(0, int((limit - self.fixed) / each)) if each else sys.maxsize


def fastest_budget(
    memory: PassMemory,
    *,
    limit: float,
    longest: int,
    most: int,
    cost: Callable[[int], float],
) -> tuple[int, int]:
    """Return the token budget and the number of kept layers that make steps cheapest.

    Forward pass, recomputation and backward pass of a frozen base are one unit of work each: with k
    of L layers kept a token costs 3 - k/L units. Of equally cheap choices the first one with the
    fewest kept layers is taken. Without room for kept layers, none are.

    Args:
        memory: what a pass holds.
        limit: bytes that may be held.
        longest: tokens of the longest example; no budget is smaller.
        most: tokens that a pass has at most.
        cost: padded tokens of typical steps under a budget, with those that starting a pass costs.
    """
    best = (max(longest, min(most, memory.tokens(limit, 0))), 0)
    lowest = 3 * cost(best[0])
    for kept in range(1, memory.layers + 1):
        tokens = min(most, memory.tokens(limit, kept))
        if tokens < longest:
            break
        work = (3 - kept / memory.layers) * cost(tokens)
        if work < lowest:
            best, lowest = (tokens, kept), work
    return best
