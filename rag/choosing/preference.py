"""Combine the voters' values of each option into probabilities.

A voter's value says how much it prefers an option as the *true* one. Values are scaled within the
question (mean 0, deviation 1, or a fixed unit), weighted and added. A weight may depend on gates:
whether the evidence bears on the question at all. A negative stem asks for the option that is not
true, so the sign of the sum is turned, once and here only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

__all__ = [
    "BEARING_FROM",
    "GATES",
    "LARGEST_GATE",
    "MODEL_VOTERS",
    "Vote",
    "Weights",
    "WeightsRecord",
    "gate_values",
    "option_probabilities",
    "preferences",
    "scaled",
    "standardised",
]

GATES = ("bearing", "level", "spread")
# Voters that the model scores for; the others are rules.
MODEL_VOTERS = frozenset({"contrast", "evidence", "likelihood"})
# Voters whose differences mean the same in every question: their values are divided by this unit
# instead of their deviation. Small differences then count little: no line bears on any option.
UNITS = {"reading": 0.2}
# The share of the stem from which the best passage bears on a question, chosen on the odd rows of
# two exams (decision 136). It is the default of `answer.bearing_from`.
BEARING_FROM = 0.52
LARGEST_GATE = 2.0  # a gate further from the fit's mean counts as this many deviations


class Vote(TypedDict):
    """The values of one voter, one for each option in the question's order, as it gave them."""

    voter: str
    values: list[float]


@dataclass(frozen=True)
class Weights:
    """How votes become probabilities.

    The weight of a voter is `voters[v]` plus, for each gate g, `gated[v][g]` times the value of the
    gate, standardised by `gates[g]` (mean, deviation) of the items of the fit. Preferences are
    divided by `temperature`.

    `unrelated` are the weights of questions on which the evidence does not bear: those with a
    `bearing` (0..1) below `bearing_from`. Empty: no question is treated so.
    """

    voters: Mapping[str, float]
    gated: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    gates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    temperature: float = 1.0
    unrelated: Mapping[str, float] = field(default_factory=dict)
    bearing_from: float = BEARING_FROM

    def of(self, voter: str, gates: Mapping[str, float]) -> float:
        """Return the weight of a voter for a question with these gate values."""
        if self.unrelated and gates["bearing"] < self.bearing_from:
            return self.unrelated.get(voter, 0.0)
        total = self.voters.get(voter, 0.0)
        for gate, weight in self.gated.get(voter, {}).items():
            mean, deviation = self.gates[gate]
            value = (gates[gate] - mean) / deviation
            total += weight * min(max(value, -LARGEST_GATE), LARGEST_GATE)
        return total

    def model_voters(self, bearing: float, *, shown: bool) -> frozenset[str]:
        """Return which of `MODEL_VOTERS` a question needs; the model scores nothing for others.

        Those that have a weight at this `bearing`, and `contrast` where a gate reads its spread.
        Where no evidence is `shown`, `evidence` cannot vote, and perhaps no rule can: `contrast` is
        then needed if no other voter of the model has a weight.
        """
        if self.unrelated and bearing < self.bearing_from:
            names = {voter for voter, weight in self.unrelated.items() if weight}
        else:
            names = {voter for voter, weight in self.voters.items() if weight}
            names |= {voter for voter, row in self.gated.items() if any(row.values())}
            if any(row.get("spread") for row in self.gated.values()):
                names.add("contrast")
        found = names & (MODEL_VOTERS if shown else MODEL_VOTERS - {"evidence"})
        return frozenset(found if found or (shown and names) else {"contrast"})

    @property
    def names(self) -> frozenset[str]:
        """The voters that have any weight."""
        gated = {voter for voter, row in self.gated.items() if any(row.values())}
        plain = [*self.voters.items(), *self.unrelated.items()]
        return frozenset(gated | {voter for voter, weight in plain if weight})


class WeightsRecord(TypedDict):
    """Weights as JSON values: the fields of `Weights` and the version of the form."""

    version: int
    voters: dict[str, float]
    gated: dict[str, dict[str, float]]
    gates: dict[str, list[float]]
    temperature: float
    unrelated: dict[str, float]
    bearing_from: float


def gate_values(votes: Sequence[Vote], bearing: float) -> dict[str, float]:
    """Return the gates of a question; a gate whose voter did not vote is 0.

    `bearing` (0..1) is the share of the stem that the evidence contains, `level` the largest word
    overlap of an option, `spread` the deviation of the contrast between the options.
    """
    values = {vote["voter"]: vote["values"] for vote in votes}
    contrast = values.get("contrast", [0.0])
    mean = sum(contrast) / len(contrast)
    variance = sum((value - mean) ** 2 for value in contrast) / len(contrast)
    return {
        "bearing": bearing,
        "level": max(values.get("overlap", [0.0])),
        "spread": math.sqrt(variance),
    }


def standardised(values: Sequence[float]) -> list[float]:
    """Return values with mean 0 and population deviation 1; zeros where all are equal."""
    mean = sum(values) / len(values)
    centred = [value - mean for value in values]
    deviation = math.sqrt(sum(value * value for value in centred) / len(values))
    if deviation <= 1e-12 * max(1.0, max(map(abs, values))):
        return [0.0] * len(values)
    return [value / deviation for value in centred]


def scaled(voter: str, values: Sequence[float]) -> list[float]:
    """Return a voter's values with mean 0, divided by its unit, or else by their deviation."""
    unit = UNITS.get(voter)
    if unit is None:
        return standardised(values)
    mean = sum(values) / len(values)
    return [(value - mean) / unit for value in values]


def preferences(
    votes: Sequence[Vote], weights: Weights, *, negative: bool, bearing: float = 0.0
) -> list[float]:
    """Return the preference of each option; only voters with a weight count.

    Where none of them voted, the first vote counts alone. (Without evidence, nothing can be said of
    what evidence adds.) `negative` says that the stem asks for the option that is not true;
    `bearing` is that of `gate_values`.
    """
    total = [0.0] * len(votes[0]["values"])
    gates = gate_values(votes, bearing)
    weighed = [weights.of(vote["voter"], gates) for vote in votes]
    if not any(weighed):
        weighed[0] = 1.0
    for vote, weight in zip(votes, weighed, strict=True):
        if weight:
            for option, value in enumerate(scaled(vote["voter"], vote["values"])):
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
