"""From the turns of a question to its answer: averaged choices, agreeing texts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kofinlaw.data.korean import bigrams, sentences
from kofinlaw.data.records import Answer, Question
from kofinlaw.models.engines import ChoiceScore, Generation
from kofinlaw.rag.journal import Turn


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


def tidy(text: str, most_characters: int) -> str:
    """The first two sentences on one line, whole sentences within `most_characters` if any fit."""
    parts = [" ".join(part.split()) for part in sentences(text)][:2]
    if not parts:
        return ""
    out = parts[0][:most_characters].rstrip()
    if len(parts) > 1 and len(parts[0]) + 1 + len(parts[1]) <= most_characters:
        out = f"{parts[0]} {parts[1]}"
    return out


def similarity(one: str, other: str) -> float:
    """Dice share of the character bigrams two texts have in common, 0..1."""
    a, b = set(bigrams(one)), set(bigrams(other))
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else float(one == other)


def combine(question: Question, turns: Sequence[Turn], evidence: Sequence[str]) -> Answer | None:
    """The answer that the turns so far give, None where none succeeded.

    Multiple choice: the option with the largest mean probability over the orders (confidence: that
    mean). Free text: the candidate most like the others (confidence: its mean likeness; of a
    single one the mean probability of a token).
    """
    good = [turn for turn in turns if not turn.failed]
    if not good:
        return None
    tokens = sum(turn.prompt_tokens + turn.tokens for turn in good)
    if question.options:
        means = [sum(values) / len(good) for values in zip(*(t.scores for t in good), strict=True)]
        best = max(range(len(means)), key=lambda i: (means[i], -i))
        return Answer(question.id, str(best + 1), tuple(evidence), round(means[best], 6), tokens)
    texts = [turn.text for turn in good]
    if len(texts) == 1:
        sure = math.exp(min(good[0].logprob, 0.0)) if good[0].logprob else 0.5
        return Answer(question.id, texts[0], tuple(evidence), round(sure, 6), tokens)
    likeness = [
        sum(similarity(text, other) for j, other in enumerate(texts) if j != i) / (len(texts) - 1)
        for i, text in enumerate(texts)
    ]
    best = max(range(len(texts)), key=lambda i: (likeness[i], -i))
    return Answer(question.id, texts[best], tuple(evidence), round(likeness[best], 6), tokens)
