"""Value each option by what evidence and stem add to its log-probability.

- `contrast`: mean log-probability of a token of the option after evidence and stem, minus that
  after the bare prompt (`bare_messages`). The option's own prior is taken away.
- `evidence`: the same, minus that after the stem without evidence. What the model knows without
  the evidence is taken away too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.models.engines.base import ChoiceScore
from kofinlaw.rag.choosing.bare_scores import BareScores
from kofinlaw.rag.choosing.preference import Vote

__all__ = ["ContrastPrompt", "model_votes"]


@dataclass(frozen=True)
class ContrastPrompt:
    """What a prompt of a choice by contrast needs next to its own text.

    - `bare` is the prompt without content.
    - `stem` is the prompt without evidence. It is empty if no voter reads it, or if the prompt
      itself shows no evidence.
    - `negative` says that the stem asks for the option that is not true.
    - `votes` are the values of the voters that need no model.
    """

    bare: str
    stem: str = ""
    negative: bool = False
    votes: tuple[Vote, ...] = ()


def model_votes(
    texts: Sequence[str],
    scores: Sequence[ChoiceScore],
    bare: BareScores,
    stem_scores: Sequence[ChoiceScore] | None = None,
) -> list[Vote] | None:
    """Return the values of `contrast`, and of `evidence` where the stem was scored without it.

    Args:
        texts: The options as they follow the prompt.
        scores: Their scores after evidence and stem.
        bare: The scores after the bare prompt.
        stem_scores: Their scores after the stem alone, or None.

    Returns None where a score is missing or not finite.
    """
    if len(scores) != len(texts) or len(stem_scores or texts) != len(texts):
        return None
    means = [_mean(score) for score in scores]
    votes: list[Vote] = [
        {
            "voter": "contrast",
            "values": [m - bare.mean(text) for m, text in zip(means, texts, strict=True)],
        }
    ]
    if stem_scores is not None:
        values = [m - _mean(s) for m, s in zip(means, stem_scores, strict=True)]
        votes.append({"voter": "evidence", "values": values})
    if not all(math.isfinite(value) for vote in votes for value in vote["values"]):
        return None
    return [{"voter": v["voter"], "values": [round(x, 6) for x in v["values"]]} for v in votes]


def _mean(score: ChoiceScore) -> float:
    return score.logprob / max(score.tokens, 1)
