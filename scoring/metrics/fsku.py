"""The FSKU contest's formula.

Score = w · multiple choice + (1 − w) · free text, w = ½; a free-text item =
0.6 · cosine(answer, reference) + 0.4 · keyword recall. Source: the contest's rules and the
benchmark's `subjective_evaluate.py` (FSI-AI/FSKU-benchmark, MIT).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

LABEL = re.compile(r"[1-9]\Z")


class SentenceEncoder(Protocol):
    """What the cosine needs of an embedder: float32 rows of length one."""

    name: str
    dimensions: int

    def encode_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Rows (texts, dimensions)."""
        ...


def label_of(answer: str, options: int) -> str:
    """The option an answer names: a bare digit within the options; else empty.

    Nothing is searched for inside longer text: "10일" must not become 1.
    """
    text = answer.strip()
    return text if LABEL.match(text) and int(text) <= options else ""


def keyword_recall(answer: str, keywords: Sequence[str]) -> float | None:
    """Share of keywords that occur in the answer, lower-cased; None without keywords.

    A keyword of several words also counts when each of its words occurs somewhere.
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
    """One free-text item in 0..1; a reference without keywords is scored by its cosine alone."""
    if recall is None:
        return cosine
    return cosine_weight * cosine + keyword_weight * recall


def cosines(
    embedder: SentenceEncoder, answers: Sequence[str], references: Sequence[str]
) -> list[float]:
    """Cosine of each answer with its reference; an empty answer or reference has 0.

    Both sides are encoded as queries: the symmetric use that E5's authors advise.
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
    """Mean cosine between references of *different* questions: what a wrong answer gets.

    Embedders differ in this floor by tenths, so a cosine means little without it. None with
    fewer than two references.
    """
    texts = [text for text in references if text]
    if len(texts) < 2:
        return None
    vectors = np.asarray(embedder.encode_queries(texts), dtype=np.float64)
    table = vectors @ vectors.T
    n = len(texts)
    return float((table.sum() - np.trace(table)) / (n * (n - 1)))
