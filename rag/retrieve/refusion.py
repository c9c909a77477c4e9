"""Fuse the same lists again under other settings, so that a sweep searches only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kofinlaw.rag.arrays import Mask, Rows
from kofinlaw.rag.fusion import Ranked, fusion_values
from kofinlaw.rag.retrieve.priors import Priors
from kofinlaw.rag.retrieve.ranking import retriever_weights
from kofinlaw.rag.settings import Fusion, RagSettings

__all__ = ["FUSIONS", "StoredLists"]

FUSIONS: tuple[Fusion, ...] = ("relative_score", "ranked")


@dataclass(frozen=True)
class _List:
    """One list of one question.

    `positions` are those of its passages among all rows of the question; `values` is what they add
    under each fusion.
    """

    kind: str
    form: str
    positions: NDArray[np.intp]
    values: dict[Fusion, NDArray[np.float64]]


class StoredLists:
    """The lists of many questions, stored to be fused many times.

    Equal to `ranking.rank` over the same lists, except that a form or a retriever that the settings
    leave out is left out here.
    """

    def __init__(
        self,
        lists: Sequence[Sequence[Ranked]],
        priors: Priors,
        shown: Sequence[Mask | None] | None = None,
    ) -> None:
        self._priors = priors
        self._shown = shown or [None] * len(lists)
        self._questions = [_stored(one) for one in lists]

    def rank(self, settings: RagSettings) -> list[Rows]:
        """Return the rows found for each question, best first."""
        weights = retriever_weights(settings)
        return [
            self._rank(rows, lists, settings, weights, shown)
            for (rows, lists), shown in zip(self._questions, self._shown, strict=True)
        ]

    def _rank(
        self,
        rows: Rows,
        lists: Sequence[_List],
        settings: RagSettings,
        weights: dict[str, float],
        shown: Mask | None,
    ) -> Rows:
        used = [
            one
            for one in lists
            if one.form in settings.query_forms and weights.get(one.kind, 0) > 0
        ]
        if not used:  # only the stem was searched
            used = [one for one in lists if weights.get(one.kind, 0) > 0]
        counts: dict[tuple[str, str], int] = {}
        for one in used:
            counts[one.kind, one.form] = counts.get((one.kind, one.form), 0) + 1
        shares = [weights[one.kind] / counts[one.kind, one.form] for one in used]
        scores, found = np.zeros(len(rows)), np.zeros(len(rows), dtype=bool)
        # As in `fuse`: a list without any passage keeps its share of the weights' sum.
        for one, share in zip(used, shares, strict=True):
            scores[one.positions] += share / sum(shares) * one.values[settings.fusion]
            found[one.positions] = True
        rows, scores = rows[found], scores[found]
        order = np.lexsort((rows, -scores))
        rows, scores = rows[order], scores[order]
        rows, scores = self._priors.walk(rows, scores, settings.weights.walk, shown)
        scores = self._priors.add_to(rows, scores, settings.weights)
        return rows[np.lexsort((rows, -scores))]


def _stored(lists: Sequence[Ranked]) -> tuple[Rows, list[_List]]:
    """Return all rows of a question, sorted, and its lists."""
    every = np.concatenate([one.rows for one in lists]) if lists else np.zeros(0)
    rows = np.unique(every.astype(np.int64))
    stored = []
    for one in lists:
        kind, form = one.by.split(":")
        values = {fusion: fusion_values(one.scores, fusion) for fusion in FUSIONS}
        stored.append(_List(kind, form, np.searchsorted(rows, one.rows), values))
    return rows, stored
