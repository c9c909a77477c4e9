"""Fuse the lists of one question into one ranking, by the settings' weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kofinlaw.rag.arrays import Mask
from kofinlaw.rag.fusion import Fused, Ranked, fuse
from kofinlaw.rag.retrieve.priors import CORPUS_WEIGHTS, Priors
from kofinlaw.rag.settings import RagSettings

__all__ = ["rank", "retriever_weights"]


def rank(
    lists: Sequence[Ranked], settings: RagSettings, priors: Priors, shown: Mask | None = None
) -> list[Fused]:
    """Return the passages of all lists, best first: the lists fused, the articles that hits refer
    to and that are `shown` (None: all) added, then the weighted priors added.
    """
    fused = fuse(lists, settings.fusion)
    weights = settings.weights
    if not fused or not any(getattr(weights, name) for name in CORPUS_WEIGHTS):
        return fused
    rows = np.array([one.row for one in fused])
    found = {one.row: one.by for one in fused}
    rows, scores = priors.walk(rows, np.array([one.score for one in fused]), weights.walk, shown)
    scores = priors.add_to(rows, scores, weights)
    order = np.lexsort((rows, -scores))
    ordered = zip(rows[order].tolist(), scores[order].tolist(), strict=True)
    return [Fused(row, score, found.get(row, ("walk",))) for row, score in ordered]


def retriever_weights(settings: RagSettings) -> dict[str, float]:
    """Return the weight of each retriever (`kiwi`, `bigram`, `dense`, `cases`); they add up to 1.

    Court decisions get `case_votes`. Of the rest the vectors get `alpha`, and the lexical indexes
    share what remains by their weights.
    """
    alpha = settings.alpha if settings.embedder is not None else 0.0
    kinds = settings.lexical_kinds
    total = sum(getattr(settings.weights, kind) for kind in kinds)
    rest = 1 - settings.case_votes
    out = {kind: rest * (1 - alpha) * getattr(settings.weights, kind) / total for kind in kinds}
    return {**out, "dense": rest * alpha, "cases": settings.case_votes}
