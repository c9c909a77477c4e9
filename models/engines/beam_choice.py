"""Find the answer from the difference of two prompts by a beam search over the allowed choices.

The search has a beam for each choice, so none is cut off, and its result is exact: the text with
the largest log-probability after a prompt, minus a weight times that after a reference prompt
(context-aware decoding, Shi et al. 2023, arXiv:2305.14739), divided by its number of tokens. This
is the length penalty 1 of beam search, the default of transformers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from kofinlaw.models.engines.base import ChoiceScore, Request

__all__ = ["beam_values", "chosen_beam"]


def beam_values(
    own: Sequence[ChoiceScore], reference: Sequence[ChoiceScore], weight: float
) -> list[float]:
    """Return the value of each choice in nats a token: `own` minus `weight` times `reference`.

    The scores are those of the same choices after the prompt and after the reference.
    """
    return [
        (one.logprob - weight * other.logprob) / one.tokens
        for one, other in zip(own, reference, strict=True)
    ]


def chosen_beam(
    own: Sequence[ChoiceScore], reference: Sequence[ChoiceScore], request: Request
) -> int:
    """Return the index of the choice that a request generates; of equal values the first.

    Above temperature 0 it is sampled by the request's seed from the softmax of the values.
    """
    values = beam_values(own, reference, request.reference_weight)
    if request.temperature == 0:
        return max(range(len(values)), key=values.__getitem__)
    generator = torch.Generator().manual_seed(request.seed)
    shares = torch.softmax(torch.tensor(values) / request.temperature, dim=-1)
    return int(torch.multinomial(shares, 1, generator=generator))
