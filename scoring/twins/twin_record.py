"""Define the record of twin questions, as `scores.json` holds it."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["ModelTwins", "TwinsRecord"]


class ModelTwins(TypedDict):
    """A model on the pairs, in shares (0 to 1): both right, each question right, same option."""

    both: float
    each: float
    unmoved: float


class TwinsRecord(TypedDict):
    """Pairs, the chance of both right (0 to 1), the models, and the solvers' both right.

    A solver's tied options share its credit; both right is the product of the two credits.
    """

    pairs: int
    chance: float
    models: dict[str, ModelTwins]
    solvers: dict[str, float]
