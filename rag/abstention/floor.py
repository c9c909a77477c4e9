"""Define the floor of an index: the score below which a question is not answered, and its errors.

The threshold comes from split conformal prediction (Vovk et al. 2005; Lei et al. 2018). Of n scores
of questions that the corpus answers, the k-th smallest is taken, k = ⌊rate · (n + 1)⌋. A further
question of the same kind is then refused with a probability of at most `rate`, whatever the
distribution of the scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ASSUMED", "FLOOR_VERSION", "Floor", "conformal_threshold"]

FLOOR_VERSION = 2
_READ_VERSIONS = (1, 2)  # version 1 has no weight of missing names
ASSUMED = 0.5  # without vectors, for corpora with too few questions


@dataclass(frozen=True)
class Floor:
    """The floor of one index.

    - `threshold` is the smallest score (no unit) of a question that is answered.
    - `rate` is the stated bound on the share of answerable questions that are refused; 0 if the
      threshold is assumed, because the corpus gives too few questions (`assumed`).
    - `questions` set the threshold. `refused` and `passed` are measured on halves of them with the
      threshold of the other half, None where a half is too small: the share that is refused, and
      the share that is let through although the document that answers it is hidden (None for a
      corpus of one document). `passed` is pessimistic: another document may answer too.
    - `off_topic` is the share of general questions, on no office's subject, that it lets through.
    - `spread` is the standard deviation of the cosines between questions and passages; 0 without
      vectors.
    - `name_weight` is the weight of names that no passage has (0 in floors of older versions).
    """

    threshold: float
    rate: float
    assumed: bool
    questions: int
    refused: float | None
    passed: float | None
    off_topic: float
    spread: float
    vectors: bool
    name_weight: float = 0.0
    version: int = FLOOR_VERSION

    def to_record(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Floor | None:
        """Return the floor of a record; None if a version that this one cannot read wrote it."""
        if record.get("version") not in _READ_VERSIONS:
            return None
        return cls(**record)


def conformal_threshold(scores: Sequence[float], rate: float) -> float | None:
    """Return the threshold at which at most `rate` of further answerable questions score less.

    None if the scores are too few for this rate (fewer than 1 / rate - 1).
    """
    place = math.floor(rate * (len(scores) + 1))
    return sorted(scores)[place - 1] if place >= 1 else None
