"""From the turns of a question to its answer: averaged choices, agreeing texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from kofinlaw.models.engines.base import ChoiceScore, Generation
from kofinlaw.rag.answer.free_text import choose
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.records import Answer, Question


def choice_probabilities(
    scores: Sequence[ChoiceScore], order: Sequence[int], *, per_token: bool
) -> list[float] | None:
    """The choices' probabilities in the question's own order; None where the engine gave nonsense.

    `order[i]` is the option choice i stood for. `per_token` divides by length, so that a long
    option's text is not punished for being long.
    """
    if len(scores) != len(order):
        return None
    values = [s.logprob / max(s.tokens, 1) if per_token else s.logprob for s in scores]
    if any(math.isnan(v) or v == math.inf for v in values) or max(values) == -math.inf:
        return None
    top = max(values)
    weights = [math.exp(v - top) for v in values]
    total = sum(weights)
    out = [0.0] * len(order)
    for place, weight in zip(order, weights, strict=True):
        out[place] = round(weight / total, 8)
    return out


def written_choice(
    generation: Generation, choices: Sequence[str], order: Sequence[int]
) -> list[float] | None:
    """As `choice_probabilities` for a choice the engine wrote; None where it wrote none of them."""
    text = generation.text.strip()
    if text not in choices:
        return None
    count = len(order)
    sure = 1.0 if math.isnan(generation.logprob) else math.exp(min(generation.logprob, 0.0))
    sure = max(sure, 1 / count + 1e-6)
    out = [round((1 - sure) / (count - 1), 8)] * count
    out[order[list(choices).index(text)]] = round(sure, 8)
    return out


def combine(
    question: Question,
    turns: Sequence[Turn],
    evidence: Sequence[str],
    *,
    target_characters: int = 60,
) -> Answer | None:
    """The answer that the turns so far give, None where none succeeded.

    A scored choice: the option with the largest mean probability over the orders (confidence: that
    mean). A written choice: the option written most often, the likelier of equals (confidence: its
    share of the votes; of a single one its probability). Free text: see `free_text.choose`
    (confidence: mean likeness; of a single one the mean probability of a token).
    """
    good = [turn for turn in turns if not turn.failed]
    if not good:
        return None
    tokens = sum(turn.prompt_tokens + turn.tokens for turn in good)
    if question.options:
        best, sure = _chosen(good)
        return Answer(question.id, str(best + 1), tuple(evidence), round(sure, 6), tokens)
    texts = [turn.text for turn in good]
    if len(texts) == 1:
        sure = math.exp(min(good[0].logprob, 0.0)) if good[0].logprob else 0.5
        return Answer(question.id, texts[0], tuple(evidence), round(sure, 6), tokens)
    best, sure = choose(question.question, texts, target_characters)
    return Answer(question.id, texts[best], tuple(evidence), round(sure, 6), tokens)


def _chosen(turns: Sequence[Turn]) -> tuple[int, float]:
    """Place of the option that the turns of a multiple choice agree on, and how sure that is."""
    means = [sum(values) / len(turns) for values in zip(*(t.scores for t in turns), strict=True)]
    places = range(len(means))
    if len(turns) == 1 or not all(turn.text for turn in turns):
        best = max(places, key=lambda i: (means[i], -i))
        return best, means[best]
    written = Counter(max(places, key=lambda i, t=turn: (t.scores[i], -i)) for turn in turns)  # type: ignore[misc]
    best = max(places, key=lambda i: (written[i], means[i], -i))
    return best, written[best] / len(turns)
