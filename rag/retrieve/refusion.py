"""The same lists fused again under other settings: what a sweep tries costs no search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw.rag.fusion import Ranked, fusable
from kofinlaw.rag.retrieve.priors import Priors
from kofinlaw.rag.retrieve.ranking import kind_weights
from kofinlaw.rag.settings import Fusion, RagSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

FUSIONS: tuple[Fusion, ...] = ("relative_score", "ranked")


@dataclass(frozen=True)
class _List:
    """One list of one question: where its passages stand among the question's, and what they add
    under each fusion."""

    kind: str
    form: str
    at: NDArray[Any]
    values: dict[Fusion, NDArray[Any]]


class Lists:
    """The lists of many questions, held for fusing. Equal to `ranking.rank` over the same lists,
    except that a form or retriever which the settings leave out is left out here."""

    def __init__(self, lists: Sequence[Sequence[Ranked]], priors: Priors) -> None:
        self._priors = priors
        self._questions = [_held(one) for one in lists]

    def ranked(self, settings: RagSettings) -> list[NDArray[Any]]:
        """The places found for each question, best first."""
        weights = kind_weights(settings)
        return [self._rank(*question, settings, weights) for question in self._questions]

    def _rank(
        self,
        places: NDArray[Any],
        lists: Sequence[_List],
        settings: RagSettings,
        weights: dict[str, float],
    ) -> NDArray[Any]:
        used = [
            one
            for one in lists
            if one.form in settings.query_forms and weights.get(one.kind, 0) > 0
        ]
        if not used:  # no form but the stem was asked
            used = [one for one in lists if weights.get(one.kind, 0) > 0]
        counts: dict[tuple[str, str], int] = {}
        for one in used:
            counts[one.kind, one.form] = counts.get((one.kind, one.form), 0) + 1
        shares = [weights[one.kind] / counts[one.kind, one.form] for one in used]
        scores, found = np.zeros(len(places)), np.zeros(len(places), dtype=bool)
        # As in `fuse`: a list without any passage keeps its share of the weights' sum.
        for one, share in zip(used, shares, strict=True):
            scores[one.at] += share / sum(shares) * one.values[settings.fusion]
            found[one.at] = True
        places, scores = places[found], scores[found]
        order = np.lexsort((places, -scores))
        places, scores = places[order], scores[order]
        scores = self._priors.raised(places, scores, settings.weights)
        return places[np.lexsort((places, -scores))]


def _held(lists: Sequence[Ranked]) -> tuple[NDArray[Any], list[_List]]:
    every = np.concatenate([one.places for one in lists]) if lists else np.zeros(0)
    places = np.unique(every.astype(np.int64))
    held = []
    for one in lists:
        kind, form = one.by.split(":")
        values = {fusion: fusable(one.scores, fusion) for fusion in FUSIONS}
        held.append(_List(kind, form, np.searchsorted(places, one.places), values))
    return places, held
