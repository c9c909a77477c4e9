"""Compute the scores of the FSKU contest.

Score = w · multiple choice + (1 − w) · free text, w = ½; a free-text item =
0.6 · cosine(answer, reference) + 0.4 · keyword recall. Source: the contest's rules and the
benchmark's `subjective_evaluate.py` (FSI-AI/FSKU-benchmark, MIT).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kofinlaw.rag.questions.answer_labels import option_label

__all__ = [
    "SentenceEncoder",
    "cosine_floor",
    "cosines",
    "free_score",
    "keyword_recall",
    "label_of",
]


class SentenceEncoder(Protocol):
    """An embedder for the cosine. Its vectors are float32 rows of norm 1."""

    name: str
    dimensions: int

    def encode_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return one row per text, shape (texts, dimensions)."""
        ...


def label_of(answer: str, options: Sequence[str] | int) -> str:
    """Return the label of the option that an answer names; empty if it names none.

    `options` are their texts, or only their number. `3`, `3번`, `③`, `C` and the text of the third
    option give `3`, see `option_label`. Longer text is not searched: "10일" must not become 1.
    """
    return option_label(answer, options)


def keyword_recall(answer: str, keywords: Sequence[str]) -> float | None:
    """Return the share (0..1) of keywords that occur in the answer; None without keywords.

    Case is ignored. A keyword of several words also counts if each of its words occurs.
    """
    wanted = [keyword.lower().strip() for keyword in keywords if keyword.strip()]
    if not wanted:
        return None
    text = answer.lower()
    found = sum(
        keyword in text or (" " in keyword and all(word in text for word in keyword.split()))
        for keyword in wanted
    )
    return found / len(wanted)


def free_score(
    cosine: float, recall: float | None, *, cosine_weight: float = 0.6, keyword_weight: float = 0.4
) -> float:
    """Return the score of one free-text item; without keywords it is the cosine alone."""
    if recall is None:
        return cosine
    return cosine_weight * cosine + keyword_weight * recall


def cosines(
    embedder: SentenceEncoder, answers: Sequence[str], references: Sequence[str]
) -> list[float]:
    """Return the cosine of each answer with its reference; 0 if one of them is empty.

    Both are encoded as queries, as the authors of E5 recommend for symmetric use.
    """
    pairs = [i for i, (a, r) in enumerate(zip(answers, references, strict=True)) if a and r]
    out = [0.0] * len(answers)
    if not pairs:
        return out
    texts = [answers[i] for i in pairs] + [references[i] for i in pairs]
    vectors = np.asarray(embedder.encode_queries(texts), dtype=np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.where(norms == 0, 1, norms)
    products = (vectors[: len(pairs)] * vectors[len(pairs) :]).sum(axis=1)
    for i, value in zip(pairs, products, strict=True):
        out[i] = float(value) if np.isfinite(value) else 0.0
    return out


def cosine_floor(embedder: SentenceEncoder, references: Sequence[str]) -> float | None:
    """Return the mean cosine of the references of different questions, which a wrong answer gets.

    This floor differs between embedders by tenths, so a cosine means little without it. None for
    fewer than two references.
    """
    texts = [text for text in references if text]
    if len(texts) < 2:
        return None
    vectors = np.asarray(embedder.encode_queries(texts), dtype=np.float64)
    table = vectors @ vectors.T
    n = len(texts)
    return float((table.sum() - np.trace(table)) / (n * (n - 1)))
