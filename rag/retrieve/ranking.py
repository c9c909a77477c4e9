"""The retrievers' lists of one question made one ranking, by the settings' weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kofinlaw.rag.fusion import Ranked, fuse
from kofinlaw.rag.index.build import lexical_kinds
from kofinlaw.rag.retrieve.priors import PRIORS, Priors
from kofinlaw.rag.settings import RagSettings


def rank(
    lists: Sequence[Ranked], settings: RagSettings, priors: Priors
) -> list[tuple[int, float, tuple[str, ...]]]:
    """(place, score, retrievers that found it), best first: the lists fused, priors added."""
    fused = fuse(lists, settings.fusion)
    weights = settings.weights
    if not fused or not any(getattr(weights, name) for name in PRIORS):
        return fused
    places = np.array([place for place, _, _ in fused])
    scores = priors.raised(places, np.array([score for _, score, _ in fused]), weights)
    order = np.lexsort((places, -scores))
    return [(fused[i][0], float(scores[i]), fused[i][2]) for i in order.tolist()]


def kind_weights(settings: RagSettings) -> dict[str, float]:
    """Each retriever's part of the fused score: the decisions' `case_votes`, of the rest `alpha`
    for the vectors, of that rest each lexical index by weight."""
    alpha = settings.alpha if settings.embedder is not None else 0.0
    kinds = lexical_kinds(settings)
    total = sum(getattr(settings.weights, kind) for kind in kinds)
    rest = 1 - settings.case_votes
    out = {kind: rest * (1 - alpha) * getattr(settings.weights, kind) / total for kind in kinds}
    return {**out, "dense": rest * alpha, "cases": settings.case_votes}
