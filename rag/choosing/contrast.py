"""Value each option by what evidence and stem add to its log-probability.

- `contrast`: mean log-probability of a token of the option after evidence and stem, minus that
  after the bare prompt (`bare_messages`). The option's own prior is taken away.
- `likelihood`: the mean log-probability after evidence and stem alone.
- `evidence`: as `contrast`, but minus that after the stem without evidence. What the model knows
  without the evidence is taken away too.
- `question` (only for sentences that answer free text): the mean log-probability of a token of the
  question after the sentence (query likelihood, Ponte and Croft 1998).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kofinlaw.models.engines.base import ChoiceScore
from kofinlaw.rag.choosing.bare_scores import BareScores
from kofinlaw.rag.choosing.preference import Vote, Weights

__all__ = ["ContrastPrompt", "mean_logprob", "model_votes", "question_vote"]


@dataclass(frozen=True)
class ContrastPrompt:
    """What a prompt of a choice by contrast needs next to its own text.

    - `bare` is the prompt without content; empty if no voter needs its scores.
    - `references` are other prompts by the name of the voter that reads them: its value is the mean
      log-probability after the prompt itself, minus that after the reference. `evidence` has the
      stem alone.
    - `weights` make probabilities of the votes.
    - `negative` says that the stem asks for the option that is not true.
    - `votes` are the values of the voters that need no model, `bearing` how much the evidence bears
      on the question (0..1).
    - `scored` is whether the model scores the choices after the prompt.
    - `sources` are prompts with one choice each, in order, after which the model scores `question`.
      Both are empty where the voter `question` has no weight.
    """

    bare: str
    weights: Weights
    references: Mapping[str, str] = field(default_factory=dict)
    negative: bool = False
    votes: tuple[Vote, ...] = ()
    bearing: float = 0.0
    scored: bool = True
    sources: tuple[str, ...] = ()
    question: str = ""


def model_votes(
    texts: Sequence[str],
    scores: Sequence[ChoiceScore],
    bare: BareScores | None,
    references: Mapping[str, Sequence[ChoiceScore]] | None = None,
) -> list[Vote] | None:
    """Return the values of `contrast`, of `likelihood` and of each voter that has a reference.

    Args:
        texts: The options as they follow the prompt.
        scores: Their scores after evidence and stem.
        bare: The scores after the bare prompt; None leaves `contrast` out.
        references: Their scores after the prompts of other voters, by the voter's name.

    Returns None where a score is missing or not finite.
    """
    references = references or {}
    if any(len(row) != len(texts) for row in (scores, *references.values())):
        return None
    means = [mean_logprob(score) for score in scores]
    votes: list[Vote] = [{"voter": "likelihood", "values": means}]
    if bare is not None:
        values = [m - bare.mean(text) for m, text in zip(means, texts, strict=True)]
        votes.insert(0, {"voter": "contrast", "values": values})
    for voter, row in references.items():
        values = [m - mean_logprob(s) for m, s in zip(means, row, strict=True)]
        votes.append({"voter": voter, "values": values})
    if not all(math.isfinite(value) for vote in votes for value in vote["values"]):
        return None
    return [{"voter": v["voter"], "values": [round(x, 6) for x in v["values"]]} for v in votes]


def question_vote(scores: Sequence[ChoiceScore]) -> Vote | None:
    """Return the vote of the question's scores after each choice; None where one is not finite."""
    values = [round(mean_logprob(score), 6) for score in scores]
    return {"voter": "question", "values": values} if all(map(math.isfinite, values)) else None


def mean_logprob(score: ChoiceScore) -> float:
    """Return the mean log-probability of a token."""
    return score.logprob / max(score.tokens, 1)
