"""Fuse the lists of one question into one ranking, by the settings' weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kofinlaw.rag.fusion import Fused, Ranked, fuse
from kofinlaw.rag.retrieve.priors import PRIORS, Priors
from kofinlaw.rag.settings import RagSettings

__all__ = ["rank", "retriever_weights"]


def rank(lists: Sequence[Ranked], settings: RagSettings, priors: Priors) -> list[Fused]:
    """Return the passages of all lists, best first: the lists fused,
    then the weighted priors added.
    """
    fused = fuse(lists, settings.fusion)
    weights = settings.weights
    if not fused or not any(getattr(weights, name) for name in PRIORS):
        return fused
    rows = np.array([one.row for one in fused])
    scores = priors.add_to(rows, np.array([one.score for one in fused]), weights)
    order = np.lexsort((rows, -scores))
    return [Fused(fused[i].row, float(scores[i]), fused[i].by) for i in order.tolist()]


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
