"""Fit the weights of the voters to labelled questions: a conditional logit with gates.

The model is McFadden's conditional logit (1974): the probability of an option is the softmax, over
the options of its question, of a linear function of its features. The features are the voters'
scaled values (sign turned for a negative stem), and those of two voters times each gate. The
penalty is the squared length of the weights; its size is chosen by cross-validation. Weights of
voters are not below 0: a voter prefers the options that it holds for true.

Nothing is drawn at random, and the order of the items does not matter.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kofinlaw import UserError
from kofinlaw.rag.choosing.calibration import expected_calibration_error
from kofinlaw.rag.choosing.preference import (
    GATES,
    LARGEST_GATE,
    Vote,
    Weights,
    gate_values,
    scaled,
)

__all__ = ["FEWEST_ITEMS", "FIT_VOTERS", "GATED", "FitItem", "VoterFit", "fit_voters"]

# The contest's machine has no Kiwi, so `morphemes` is left to the user's own weights.
FIT_VOTERS = ("contrast", "evidence", "likelihood", "overlap", "look_up", "reading")
GATED = ("contrast", "overlap")  # voters whose weight may depend on the gates
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
FOLDS = 5
FEWEST_ITEMS = 40
# A question is unrelated where less of its stem is in the evidence than in 99 % of the fit's
# questions. The weights were never tried there, so the model's likelihood alone votes.
UNRELATED_SHARE = 0.01
UNRELATED = {"likelihood": 0.5}
STEPS = 50  # of Newton's method; it stops earlier where the weights no longer move

Rows = NDArray[np.float64]  # [options, parameters]


@dataclass(frozen=True)
class FitItem:
    """A labelled question: its votes, `bearing` and polarity, and the right option from 0."""

    id: str
    votes: Sequence[Vote]
    bearing: float
    negative: bool
    answer: int


@dataclass(frozen=True)
class VoterFit:
    """Fitted weights and figures from cross-validation (each item by weights fitted without it).

    `right` is the share of right items (0..1), `log_loss` the mean in nats, `calibration_error` the
    expected calibration error (0..1) at the fitted temperature. `alone` is the share of right items
    of each voter by itself. `penalty` is the size that was chosen.
    """

    weights: Weights
    items: int
    right: float
    log_loss: float
    calibration_error: float
    penalty: float
    alone: dict[str, float]

    def to_record(self) -> dict[str, object]:
        """Return the figures by name, rounded to four digits."""
        return {
            "items": self.items,
            "right": round(self.right, 4),
            "log_loss": round(self.log_loss, 4),
            "calibration_error": round(self.calibration_error, 4),
            "penalty": self.penalty,
            "alone": {name: round(value, 4) for name, value in self.alone.items()},
        }


@dataclass(frozen=True)
class _Design:
    """The features of items: `rows` by item, the right options, and the names of the columns."""

    rows: list[Rows]
    answers: list[int]
    columns: list[tuple[str, str]]  # (voter, gate); the gate is empty for the voter itself

    def part(self, indices: Sequence[int]) -> _Design:
        return _Design(
            [self.rows[i] for i in indices], [self.answers[i] for i in indices], self.columns
        )


def fit_voters(items: Sequence[FitItem]) -> VoterFit:
    """Return the weights that fit labelled questions best.

    Raises UserError for fewer than 40 items.
    """
    if len(items) < FEWEST_ITEMS:
        raise UserError(
            f"{len(items)} labelled questions with votes are too few to fit the voters",
            where="answer.voters",
            remedy=f"give at least {FEWEST_ITEMS}, or write the weights into `answer.voters`",
        )
    # The order decides the folds, so it must come from the items alone.
    items = sorted(items, key=lambda item: hashlib.sha256(item.id.encode("utf-8")).hexdigest())
    design, gates = _design(items)
    folds = [list(range(start, len(items), FOLDS)) for start in range(FOLDS)]
    losses = {
        penalty: _log_loss(_held_out(design, folds, penalty), design) for penalty in PENALTIES
    }
    penalty = min(PENALTIES, key=lambda size: (losses[size], -size))
    held_out = _held_out(design, folds, penalty)
    temperature = _temperature(held_out, design)
    cooled = [row / temperature for row in held_out]
    values = _fit(design, penalty)
    return VoterFit(
        weights=replace(
            _weights(design.columns, values, gates, temperature),
            unrelated=UNRELATED,
            bearing_from=_lowest_bearing(items),
        ),
        items=len(items),
        right=_right(cooled, design.answers),
        log_loss=_log_loss(cooled, design),
        calibration_error=_calibration_error(cooled, design.answers),
        penalty=penalty,
        alone={
            voter: _right([row[:, column] for row in design.rows], design.answers)
            for column, (voter, gate) in enumerate(design.columns)
            if not gate
        },
    )


def _lowest_bearing(items: Sequence[FitItem]) -> float:
    """Return the `bearing` that 99 % of the items reach; with fewer than 100 all of them do."""
    found = sorted(item.bearing for item in items)
    return round(found[math.floor(UNRELATED_SHARE * len(found))], 6)


def _design(items: Sequence[FitItem]) -> tuple[_Design, dict[str, tuple[float, float]]]:
    """Return the features of the items, and the mean and deviation of each gate that varies."""
    voted = {vote["voter"] for item in items for vote in item.votes}
    voters = [name for name in FIT_VOTERS if name in voted]
    found = [gate_values(item.votes, item.bearing) for item in items]
    gates: dict[str, tuple[float, float]] = {}
    for gate in GATES:
        values = np.array([row[gate] for row in found])
        if values.std() > 1e-9:
            gates[gate] = (round(float(values.mean()), 6), round(float(values.std()), 6))
    columns = [(voter, "") for voter in voters]
    columns += [(voter, gate) for voter in voters if voter in GATED for gate in gates]
    rows = []
    for item, row in zip(items, found, strict=True):
        values_of = {vote["voter"]: vote["values"] for vote in item.votes}
        options = len(item.votes[0]["values"])
        sign = -1.0 if item.negative else 1.0
        plain = {
            voter: sign * np.array(scaled(voter, values_of.get(voter, [0.0] * options)))
            for voter in voters
        }
        levels = {
            gate: min(max((row[gate] - mean) / deviation, -LARGEST_GATE), LARGEST_GATE)
            for gate, (mean, deviation) in gates.items()
        }
        rows.append(
            np.stack(
                [plain[voter] * (levels[gate] if gate else 1.0) for voter, gate in columns], axis=1
            )
        )
    return _Design(rows, [item.answer for item in items], columns), gates


def _fit(design: _Design, penalty: float) -> NDArray[np.float64]:
    """Return the weights [parameters] by Newton's method; a voter below 0 is left out."""
    bounded = np.array([not gate for _, gate in design.columns])
    free = np.ones(len(design.columns), dtype=bool)
    while True:
        weights = np.zeros(len(design.columns))
        for _ in range(STEPS):
            gradient, hessian = _derivatives(design, weights, penalty)
            step = np.zeros_like(weights)
            step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
            weights -= step
            if np.abs(step).max() < 1e-10:
                break
        below = bounded & free & (weights < 0)
        if not below.any():
            return weights
        free &= ~below


def _derivatives(
    design: _Design, weights: NDArray[np.float64], penalty: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return gradient [parameters] and Hessian of the penalised negative log-likelihood."""
    gradient = penalty * weights
    hessian = penalty * np.eye(len(weights))
    for rows, answer in zip(design.rows, design.answers, strict=True):
        share = _softmax(rows @ weights)
        mean = share @ rows
        gradient = gradient + mean - rows[answer]
        hessian = hessian + rows.T @ (rows * share[:, None]) - np.outer(mean, mean)
    return gradient, hessian


def _held_out(
    design: _Design, folds: Sequence[Sequence[int]], penalty: float
) -> list[NDArray[np.float64]]:
    """Return the preferences of each item's options by weights fitted without its fold."""
    out: list[NDArray[np.float64]] = [np.zeros(0)] * len(design.rows)
    for fold in folds:
        left = set(fold)
        weights = _fit(design.part([i for i in range(len(out)) if i not in left]), penalty)
        for i in fold:
            out[i] = design.rows[i] @ weights
    return out


def _temperature(preferred: Sequence[NDArray[np.float64]], design: _Design) -> float:
    """Return the temperature (0.25 to 4) with the smallest log loss, by golden section."""
    low, high = math.log(0.25), math.log(4.0)
    ratio = (math.sqrt(5) - 1) / 2

    def loss(value: float) -> float:
        return _log_loss([row / math.exp(value) for row in preferred], design)

    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return round(math.exp((low + high) / 2), 4)


def _weights(
    columns: Sequence[tuple[str, str]],
    values: NDArray[np.float64],
    gates: dict[str, tuple[float, float]],
    temperature: float,
) -> Weights:
    voters: dict[str, float] = {}
    gated: dict[str, dict[str, float]] = {}
    for (voter, gate), value in zip(columns, values, strict=True):
        if gate:
            gated.setdefault(voter, {})[gate] = round(float(value), 6)
        else:
            voters[voter] = round(float(value), 6)
    return Weights(voters, gated, gates, temperature)


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    parts = np.exp(values - values.max())
    return parts / parts.sum()


def _log_loss(preferred: Sequence[NDArray[np.float64]], design: _Design) -> float:
    chances = [_softmax(row)[a] for row, a in zip(preferred, design.answers, strict=True)]
    return float(-np.log(np.maximum(chances, 1e-12)).mean())


def _right(preferred: Sequence[NDArray[np.float64]], answers: Sequence[int]) -> float:
    """Return the share of right items; options that tie share the credit."""
    credit = []
    for row, answer in zip(preferred, answers, strict=True):
        best = np.flatnonzero(row >= row.max() - 1e-12)
        credit.append(1 / len(best) if answer in best else 0.0)
    return float(np.mean(credit))


def _calibration_error(preferred: Sequence[NDArray[np.float64]], answers: Sequence[int]) -> float:
    """Return the expected calibration error of the likeliest options."""
    shares = [_softmax(row) for row in preferred]
    right = [float(row.argmax() == a) for row, a in zip(shares, answers, strict=True)]
    return expected_calibration_error([float(row.max()) for row in shares], right)
