"""Answer without the model where the deadline or a failed engine leaves a question open.

Also a baseline of the scoring. No prior about positions or lengths is used here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from kofinlaw.data.korean.words import bigrams, sentences
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.records import Answer, Question

__all__ = [
    "FALLBACK_PASSAGES",
    "Tokenize",
    "best_sentence",
    "bigram_tokens",
    "fallback_answer",
    "overlap_choice",
    "overlap_scores",
]

Tokenize = Callable[[Sequence[str]], list[list[str]]]

FALLBACK_PASSAGES = 3  # passages that a fallback answer reads


def bigram_tokens(texts: Sequence[str]) -> list[list[str]]:
    """Return the character bigrams of each text: a whole file takes a second or two."""
    return [bigrams(text) for text in texts]


def overlap_scores(
    options: Sequence[str], evidence: Sequence[str], *, tokenize: Tokenize = bigram_tokens
) -> list[float]:
    """Return the share (0..1) of each option's distinct tokens
    that its best-matching passage contains.

    An option without any token scores 0.
    """
    passages = [set(words) for words in tokenize(list(evidence))]
    scores = []
    for words in map(set, tokenize(list(options))):
        shared = max((len(words & passage) for passage in passages), default=0)
        scores.append(shared / len(words) if words else 0.0)
    return scores


def overlap_choice(
    options: Sequence[str],
    evidence: Sequence[str],
    *,
    negative: bool = False,
    tokenize: Tokenize = bigram_tokens,
) -> int:
    """Return the index (from 0) of the option with the largest lexical overlap with the evidence.

    With `negative` the smallest. Ties are broken by a hash of the options' text, so neither
    position nor length decides; -1 where all options overlap equally.
    """
    scores = overlap_scores(options, evidence, tokenize=tokenize)
    if not scores or min(scores) == max(scores):
        return -1
    best = min(scores) if negative else max(scores)
    tied = [i for i, score in enumerate(scores) if score == best]
    return min(tied, key=lambda i: hashlib.sha256(options[i].encode()).hexdigest())


def fallback_answer(
    question: Question,
    evidence: Sequence[str],
    evidence_ids: Sequence[str] = (),
    *,
    max_characters: int = 160,
) -> Answer:
    """Return the answer of a question until the model has given one, marked `origin="fallback"`.

    Multiple choice: the option that best matches the passages (for a negative stem the one that
    matches least), else one chosen by a hash of the question's id. Free text: the sentence of the
    evidence that shares most with the question, cut to `max_characters`.
    """
    if question.options:
        negative = is_negative(question.question)
        chosen = overlap_choice(question.options, evidence, negative=negative)
        if chosen < 0:
            digest = hashlib.sha256(question.id.encode("utf-8")).digest()
            chosen = int.from_bytes(digest[:8], "big") % len(question.options)
        text = str(chosen + 1)
    else:
        text = best_sentence(question.question, evidence)[:max_characters] or NO_EVIDENCE
    return Answer(question.id, text, tuple(evidence_ids), 0.0, 0, "fallback")


def best_sentence(question: str, evidence: Sequence[str]) -> str:
    """Return the sentence of the evidence that shares most bigrams with the question (by Dice).

    The first of equals; empty where no sentence shares any.
    """
    asked = set(bigrams(question))
    best, best_score = "", 0.0
    for passage in evidence:
        for sentence in sentences(passage):
            words = set(bigrams(sentence))
            shared = len(words & asked)
            score = 2 * shared / (len(words) + len(asked)) if shared else 0.0
            if score > best_score:
                best, best_score = " ".join(sentence.split()), score
    return best
