"""Choose the next token of many rows on the device, and copy the choices back once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["choose_at_once"]


def choose_at_once(
    logprobs: Tensor, temperatures: Sequence[float], draws: Sequence[float]
) -> list[tuple[int, float]]:
    """Return the chosen token of each row and its log-probability, read from the device once.

    A row of temperature 0 gets its likeliest token. Another row gets the first token at which the
    sum of the probabilities exceeds its draw (inverse transform sampling). The sums are float64:
    over 100,000 tokens, float32 would lose the rare ones.

    Args:
        logprobs: log-probabilities [rows, vocabulary].
        temperatures: of each row.
        draws: a number in [0, 1) of each row.
    """
    tokens = logprobs.argmax(dim=-1)
    sampled = [row for row, temperature in enumerate(temperatures) if temperature > 0]
    if sampled:
        # One copy to the device: the rows, their temperatures and their draws.
        table = [[float(row), temperatures[row], draws[row]] for row in sampled]
        rows, heat, drawn = torch.tensor(table, dtype=torch.float64).to(logprobs.device).T
        where = rows.long()
        shares = torch.softmax(logprobs[where].double() / heat[:, None], dim=-1).cumsum(dim=-1)
        goals = drawn[:, None] * shares[:, -1:]  # the last sum may differ from 1 by rounding
        found = torch.searchsorted(shares, goals, right=True)[:, 0]
        tokens[where] = found.clamp(max=logprobs.shape[-1] - 1)
    chosen = logprobs.gather(1, tokens[:, None])[:, 0]
    # Token ids are exact in float64.
    pairs = torch.stack([tokens.double(), chosen.double()], dim=1).tolist()
    return [(int(token), logprob) for token, logprob in pairs]
