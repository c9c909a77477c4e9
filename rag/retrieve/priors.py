"""What speaks for a passage besides its own words, known from the corpus without any label.

Each is 0..1 and added to the fused score by its weight (`rag.weights`): courts and examiners ask
about articles that lie where the other hits lie, that others refer to, and that stand in an act.
Measured on court issues in docs/studies/retrieval.md.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw.data.law.versions import citation_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.settings import RetrieverWeights

PRIORS = ("document", "linked", "beside", "cited_often", "act")
DOCUMENT_HITS = 30  # best hits that say which documents the question is about
# Endings of decrees' and ministries' rules' titles.
_BELOW_AN_ACT = re.compile(r"(?:시행령|시행규칙|규칙|규정|세칙|고시|기준)$")


class Priors:
    """The priors of one index's passages, computed when they are first weighed."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def raised(
        self, places: NDArray[Any], scores: NDArray[Any], weights: RetrieverWeights
    ) -> NDArray[Any]:
        """The fused scores (best first) of a question's passages with the weighed priors added."""
        out = scores.astype(np.float64)
        for name in PRIORS:
            weight = getattr(weights, name)
            if weight and len(places):
                out = out + weight * getattr(self, name)(places, scores)
        return out

    def document(self, places: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
        """Sum of the best hits' scores in each passage's document, the best document being 1."""
        owners = self._titles[places]
        sums = np.bincount(
            owners[:DOCUMENT_HITS], scores[:DOCUMENT_HITS], minlength=int(owners.max()) + 1
        )
        return _of_best(sums[owners])

    def linked(self, places: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
        """Sum of the scores of the hits that refer to each passage, the most being 1."""
        sources, targets = self._edges
        sums = np.bincount(
            targets, self._spread(places, scores)[sources], minlength=len(self._titles)
        )
        return _of_best(sums[places])

    def beside(self, places: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
        """The better score of the two passages next to each one in its document.

        Texts of an article in several versions count as one passage.
        """
        slots, titles = self._slots, np.append(self._title_of_slot, -1)
        spread = np.zeros(len(titles))  # slot -1 and the last + 1 are 0
        np.maximum.at(spread, slots[places], scores)
        own = titles[slots[places]]
        before, after = slots[places] - 1, slots[places] + 1
        better: NDArray[Any] = np.maximum(
            np.where(titles[before] == own, spread[before], 0),
            np.where(titles[after] == own, spread[after], 0),
        )
        return better

    def cited_often(self, places: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
        """log(1 + articles that refer to each passage's), the most cited of the corpus being 1."""
        return self._times_cited[places]

    def act(self, places: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
        """1 for an act's text, 0 for a decree's, a rule's or another document's."""
        return self._acts[places]

    def _spread(self, places: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
        spread = np.zeros(len(self._titles))
        spread[places] = scores
        return spread

    @cached_property
    def _titles(self) -> NDArray[Any]:
        number = {title: i for i, title in enumerate(self._index.titles)}
        return np.array([number[chunk.title] for chunk in self._index.chunks], dtype=np.int64)

    @cached_property
    def _slots(self) -> NDArray[Any]:
        """Each place's passage: a text of an earlier version shares that of the text it follows."""
        own = [not chunk.until for chunk in self._index.chunks]
        return np.maximum(np.cumsum(own) - 1, 0)

    @cached_property
    def _title_of_slot(self) -> NDArray[Any]:
        return self._titles[np.unique(self._slots, return_index=True)[1]]

    @cached_property
    def _edges(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Places that refer and places referred to, one pair an entry."""
        places = self._index.places_of_unit
        referring_places: dict[str, list[int]] = {}
        for place, chunk in enumerate(self._index.chunks):
            referring_places.setdefault(citation_key(chunk), []).append(place)
        pairs = [
            (source, target)
            for unit, targets in self._index.references.items()
            for source in referring_places.get(unit, ())
            for named in targets
            for target in places.get(named, ())
        ]
        edges = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return edges[:, 0], edges[:, 1]

    @cached_property
    def _times_cited(self) -> NDArray[Any]:
        counts: dict[str, int] = {}
        for targets in self._index.references.values():
            for target in targets:
                counts[target] = counts.get(target, 0) + 1
        return _of_best(np.log1p([counts.get(chunk.unit, 0) for chunk in self._index.chunks]))

    @cached_property
    def _acts(self) -> NDArray[Any]:
        return np.array(
            [
                chunk.kind == "statute" and not _BELOW_AN_ACT.search(chunk.title)
                for chunk in self._index.chunks
            ],
            dtype=np.float64,
        )


def _of_best(values: NDArray[Any]) -> NDArray[Any]:
    """Divided by the largest; zeros stay."""
    best = float(values.max()) if len(values) else 0.0
    return values / best if best > 0 else np.zeros(len(values))
