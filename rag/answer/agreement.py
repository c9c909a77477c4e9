"""Combine the turns of a question into its answer: average choices, or choose among texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from kofinlaw.models.engines.base import ChoiceScore, Generation
from kofinlaw.rag.answer.free_text import choose_candidate
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.records import Answer, Question

__all__ = ["choice_probabilities", "combine", "written_choice"]


def choice_probabilities(
    scores: Sequence[ChoiceScore], order: Sequence[int], *, per_token: bool
) -> list[float] | None:
    """Return the options' probabilities in the question's order;
    None where the scores are unusable.

    `order[i]` is the option for which choice i was scored. `per_token` divides by the number of
    tokens, so that a long option is not penalised.
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
    for option, weight in zip(order, weights, strict=True):
        out[option] = round(weight / total, 8)
    return out


def written_choice(
    generation: Generation, choices: Sequence[str], order: Sequence[int]
) -> list[float] | None:
    """Do as `choice_probabilities` for a choice that was written; None where it is not a choice.

    Blanks around a choice do not count: in the plain form it begins with one.
    """
    text, choices = generation.text.strip(), [choice.strip() for choice in choices]
    if text not in choices:
        return None
    count = len(order)
    likely = 1.0 if math.isnan(generation.logprob) else math.exp(min(generation.logprob, 0.0))
    likely = max(likely, 1 / count + 1e-6)
    out = [round((1 - likely) / (count - 1), 8)] * count
    out[order[choices.index(text)]] = round(likely, 8)
    return out


def combine(
    question: Question,
    turns: Sequence[Turn],
    evidence: Sequence[str],
    *,
    target_characters: int = 60,
) -> Answer | None:
    """Return the answer that the turns so far give; None where none succeeded.

    - A scored choice: the option with the largest mean probability over the orders. Confidence is
      that mean.
    - A written choice: the option written most often, of equals the likelier. Confidence is its
      share of the votes, or its probability where there is one turn.
    - Free text: see `free_text.choose_candidate`. Confidence is the mean similarity, or the mean
      probability of a token where there is one turn. A text that replaces an unusable one counts
      only if there is no other; its confidence is 0.
    - A refused question: the sentence that says so, with confidence 0.
    - A sentence chosen among those of the evidence: confidence is its probability.

    `evidence` are the ids of the passages, which the answer records; `target_characters` is the
    preferred length of free text.
    """
    good = [turn for turn in turns if not turn.failed]
    if not good:
        return None
    tokens = sum(turn.prompt_tokens + turn.tokens for turn in good)
    if question.options:
        best, confidence = _chosen_option(good)
        return Answer(question.id, str(best + 1), tuple(evidence), round(confidence, 6), tokens)
    refused = next((turn for turn in good if turn.abstained), None)
    if refused is not None:
        return Answer(question.id, refused.text, tuple(evidence), 0.0, tokens, "abstention")
    chosen = next((turn for turn in good if turn.quoted and not turn.replaced), None)
    if chosen is not None:
        return Answer(
            question.id,
            chosen.text,
            tuple(evidence),
            round(max(chosen.scores), 6),
            tokens,
            "quotation",
            chosen.quoted,
        )
    written = [turn for turn in good if not turn.replaced]
    if not written:
        text, quoted = good[0].text, good[0].quoted
        return Answer(question.id, text, tuple(evidence), 0.0, tokens, "fallback", quoted)
    good = written
    texts = [turn.text for turn in good]
    if len(texts) == 1:
        confidence = math.exp(min(good[0].logprob, 0.0)) if good[0].logprob else 0.5
        return Answer(question.id, texts[0], tuple(evidence), round(confidence, 6), tokens)
    best, confidence = choose_candidate(question.question, texts, target_characters)
    return Answer(question.id, texts[best], tuple(evidence), round(confidence, 6), tokens)


def _chosen_option(turns: Sequence[Turn]) -> tuple[int, float]:
    """Return the index of the option that the turns of a multiple choice agree on,
    and its confidence.
    """
    means = [sum(values) / len(turns) for values in zip(*(t.scores for t in turns), strict=True)]
    options = range(len(means))
    if len(turns) == 1 or not all(turn.text for turn in turns):
        best = max(options, key=lambda i: (means[i], -i))
        return best, means[best]
    written = Counter(_likeliest(turn.scores) for turn in turns)
    best = max(options, key=lambda i: (written[i], means[i], -i))
    return best, written[best] / len(turns)


def _likeliest(scores: Sequence[float]) -> int:
    """Return the index of the largest score, the first of equals."""
    return max(range(len(scores)), key=lambda i: (scores[i], -i))
