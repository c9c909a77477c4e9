"""Combine the voters' values of each option into probabilities.

A voter's value says how much it prefers an option as the *true* one. Values are standardised within
the question (mean 0, deviation 1), weighted and added. A negative stem asks for the option that is
not true, so the sign of the sum is turned, once and here only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

__all__ = ["Vote", "option_probabilities", "preferences", "standardised"]


class Vote(TypedDict):
    """The values of one voter, one for each option in the question's order, as it gave them."""

    voter: str
    values: list[float]


def standardised(values: Sequence[float]) -> list[float]:
    """Return values with mean 0 and population deviation 1; zeros where all are equal."""
    mean = sum(values) / len(values)
    centred = [value - mean for value in values]
    deviation = math.sqrt(sum(value * value for value in centred) / len(values))
    if deviation <= 1e-12 * max(1.0, max(map(abs, values))):
        return [0.0] * len(values)
    return [value / deviation for value in centred]


def preferences(
    votes: Sequence[Vote], weights: Mapping[str, float], *, negative: bool
) -> list[float]:
    """Return the preference of each option; only voters with a weight count.

    Where none of them voted, the first vote counts alone. (Without evidence, nothing can be said of
    what evidence adds.) `negative` says that the stem asks for the option that is not true.
    """
    options = len(votes[0]["values"])
    if not any(weights.get(vote["voter"]) for vote in votes):
        weights = {votes[0]["voter"]: 1.0}
    total = [0.0] * options
    for vote in votes:
        weight = weights.get(vote["voter"], 0.0)
        if weight:
            for option, value in enumerate(standardised(vote["values"])):
                total[option] += weight * value
    return [-value for value in total] if negative else total


def option_probabilities(
    preferred: Sequence[float], texts: Sequence[str], temperature: float = 1.0
) -> list[float]:
    """Return the softmax of preferences divided by `temperature`, rounded to eight digits.

    Of several likeliest options, a hash of their `texts` decides, because neither position nor
    length may: that option gets the smallest difference that rounding keeps.
    """
    top = max(preferred)
    parts = [math.exp((value - top) / temperature) for value in preferred]
    out = [round(part / sum(parts), 8) for part in parts]
    best = [option for option, value in enumerate(out) if value == max(out)]
    if len(best) > 1:
        chosen = min(best, key=lambda i: hashlib.sha256(texts[i].encode("utf-8")).hexdigest())
        out[chosen] = round(out[chosen] + 1e-8, 8)
    return out
