"""Answers without the model: for rows the deadline or a dead engine leaves open, and as baseline.

No prior about positions or lengths is used anywhere here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from kofinlaw.data.korean.words import bigrams, sentences
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.records import Answer, Question

Tokenise = Callable[[Sequence[str]], list[list[str]]]


def bigram_tokens(texts: Sequence[str]) -> list[list[str]]:
    """The character bigrams of each text: a whole file takes a second or two."""
    return [bigrams(text) for text in texts]


def overlap_scores(
    options: Sequence[str], evidence: Sequence[str], *, tokenise: Tokenise = bigram_tokens
) -> list[float]:
    """Share (0..1) of each option's distinct tokens that stand in its best-matching passage.

    An option without any token scores 0.
    """
    passages = [set(words) for words in tokenise(list(evidence))]
    scores = []
    for words in map(set, tokenise(list(options))):
        shared = max((len(words & passage) for passage in passages), default=0)
        scores.append(shared / len(words) if words else 0.0)
    return scores


def overlap_choice(
    options: Sequence[str],
    evidence: Sequence[str],
    *,
    negative: bool = False,
    tokenise: Tokenise = bigram_tokens,
) -> int:
    """Place (from 0) of the option with the largest lexical overlap with the evidence.

    With `negative` the smallest. Equal ones are told apart by a hash of their text, so neither
    place nor length decides; -1 where nothing tells any option from another.
    """
    scores = overlap_scores(options, evidence, tokenise=tokenise)
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
    most_characters: int = 160,
) -> Answer:
    """The answer that stands until the model has given one, marked `origin="fallback"`.

    Multiple choice: the option that best matches the passages (for a negative stem least), else
    one chosen by a hash of the question's id. Free text: the sentence of the evidence that shares
    most with the question.
    """
    if question.options:
        negative = is_negative(question.question)
        chosen = overlap_choice(question.options, evidence, negative=negative)
        if chosen < 0:
            digest = hashlib.sha256(question.id.encode("utf-8")).digest()
            chosen = int.from_bytes(digest[:8], "big") % len(question.options)
        text = str(chosen + 1)
    else:
        text = _best_sentence(question.question, evidence)[:most_characters] or NO_EVIDENCE
    return Answer(question.id, text, tuple(evidence_ids), 0.0, 0, "fallback")


def _best_sentence(question: str, evidence: Sequence[str]) -> str:
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
