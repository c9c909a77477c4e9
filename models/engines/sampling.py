"""Choose the next token of many rows on the device, and copy the choices back once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Allowed", "choose_at_once"]

# The ids of the tokens that a row may have next; None: every token.
Allowed = Sequence[int] | NDArray[np.int64] | None


def choose_at_once(
    logprobs: Tensor,
    temperatures: Sequence[float],
    draws: Sequence[float],
    allowed: Sequence[Allowed] | None = None,
) -> list[tuple[int, float]]:
    """Return the chosen token of each row and its log-probability, read from the device once.

    A row of temperature 0 gets its likeliest token. Another row gets the first token at which the
    sum of the probabilities exceeds its draw (inverse transform sampling). The sums are float64:
    over 100,000 tokens, float32 would lose the rare ones.

    Args:
        logprobs: log-probabilities [rows, vocabulary].
        temperatures: of each row.
        draws: a number in [0, 1) of each row.
        allowed: the tokens among which each row chooses, at least one; None: all rows have all
            tokens. The returned log-probability is that among all tokens.
    """
    open_to = logprobs
    if allowed is not None and any(ids is not None for ids in allowed):
        open_to = logprobs.masked_fill(~_on_device(allowed, logprobs), -torch.inf)
    tokens = open_to.argmax(dim=-1)
    sampled = [row for row, temperature in enumerate(temperatures) if temperature > 0]
    if sampled:
        # One copy to the device: the rows, their temperatures and their draws.
        table = [[float(row), temperatures[row], draws[row]] for row in sampled]
        rows, heat, drawn = torch.tensor(table, dtype=torch.float64).to(logprobs.device).T
        where = rows.long()
        shares = torch.softmax(open_to[where].double() / heat[:, None], dim=-1).cumsum(dim=-1)
        whole = shares[:, -1:].contiguous()  # it may differ from 1 by rounding
        found = torch.searchsorted(shares, drawn[:, None] * whole, right=True)[:, 0]
        # Rounding may give a goal of the whole sum: no token is beyond the last possible one.
        last = torch.searchsorted(shares, whole)[:, 0]
        tokens[where] = torch.minimum(found, last)
    chosen = logprobs.gather(1, tokens[:, None])[:, 0]
    # Token ids are exact in float64.
    pairs = torch.stack([tokens.double(), chosen.double()], dim=1).tolist()
    return [(int(token), logprob) for token, logprob in pairs]


def _on_device(allowed: Sequence[Allowed], logprobs: Tensor) -> Tensor:
    """Return which token each row may have, bool [rows, vocabulary], copied as one bit a token."""
    words = logprobs.shape[-1]
    bits = np.full((len(allowed), -(-words // 8)), 255, dtype=np.uint8)
    for row, ids in enumerate(allowed):
        if ids is not None:
            seen = np.zeros(words, dtype=np.uint8)
            seen[ids] = 1
            bits[row] = np.packbits(seen, bitorder="little")
    packed = torch.from_numpy(bits)
    if logprobs.is_cuda:
        packed = packed.pin_memory()
    packed = packed.to(logprobs.device, non_blocking=True)
    places = torch.arange(8, dtype=torch.uint8, device=logprobs.device)
    spread = (packed[:, :, None] >> places) & 1
    return spread.view(len(allowed), -1)[:, :words].bool()
