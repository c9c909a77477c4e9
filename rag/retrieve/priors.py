"""Add priors to fused scores: support for a passage from the corpus structure, without labels.

A prior raises passages that were found; `walk` also adds articles that were not. Each is 0..1 and
is added to the fused score by its weight (`rag.weights`). Courts and examiners ask about articles
near other hits, articles that others refer to, and articles of acts.
Measured on court issues in docs/studies/retrieval.md.
"""

from __future__ import annotations

import re
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from kofinlaw.data.law.versions import citation_key
from kofinlaw.rag.arrays import Mask, Rows, Scores
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RetrieverWeights

__all__ = ["CORPUS_WEIGHTS", "DOCUMENT_HITS", "PRIORS", "WALK_HITS", "Floats", "Priors"]

Floats = NDArray[np.float64]

PRIORS = ("document", "linked", "beside", "cited_often", "act")
CORPUS_WEIGHTS = (*PRIORS, "walk")  # all weights that use the structure of the corpus
DOCUMENT_HITS = 30  # best hits that decide which documents the question is about
WALK_HITS = 30  # best hits whose references are followed
# Endings of the titles of decrees and ministries' rules.
_BELOW_AN_ACT = re.compile(r"(?:시행령|시행규칙|규칙|규정|세칙|고시|기준)$")


class Priors:
    """The priors of one index's passages, computed when they first have a weight.

    Each method takes the rows and scores of a question's passages, best first, and returns one
    value for each of them.
    """

    def __init__(self, index: Index) -> None:
        self._index = index

    def walk(
        self, rows: Rows, scores: Scores, weight: float, shown: Mask | None = None
    ) -> tuple[Rows, Floats]:
        """Return the passages with those that the best hits refer to, each raised by its support.

        The support of an article is the sum of the scores of the hits that refer to it, each
        divided by the root of the number of articles that the hit refers to; the largest counts
        `weight`. An article that was not found enters with its first passage that is `shown` (None:
        all), behind the others.
        """
        values = scores.astype(np.float64)
        support: dict[str, float] = {}
        sources: set[str] = set()
        for row, score in zip(rows[:WALK_HITS].tolist(), values[:WALK_HITS].tolist(), strict=True):
            source = citation_key(self._index.chunks[row])
            if source in sources:
                continue  # a further part of one article
            sources.add(source)
            targets = self._index.references.get(source, ())
            for unit in targets:
                support[unit] = support.get(unit, 0.0) + score / sqrt(len(targets))
        most = max(support.values(), default=0.0)
        if not weight or most <= 0:
            return rows, values
        place = {row: at for at, row in enumerate(rows.tolist())}
        new: dict[int, float] = {}
        for unit, value in support.items():
            texts = self._index.rows_of_unit.get(unit, ())
            found = [place[row] for row in texts if row in place]
            values[found] += weight * value / most
            if not found:
                first = next((row for row in texts if shown is None or shown[row]), None)
                if first is not None:
                    new[first] = weight * value / most
        return np.append(rows, [*new]).astype(rows.dtype), np.append(values, [*new.values()])

    def add_to(self, rows: Rows, scores: Scores, weights: RetrieverWeights) -> Floats:
        """Return the fused scores with the weighted priors added."""
        out = scores.astype(np.float64)
        for name in PRIORS:
            weight = getattr(weights, name)
            if weight and len(rows):
                out = out + weight * getattr(self, name)(rows, scores)
        return out

    def document(self, rows: Rows, scores: Scores) -> Floats:
        """Sum of the best hits' scores in each passage's document, the best document being 1."""
        owners = self._titles[rows]
        sums = np.bincount(
            owners[:DOCUMENT_HITS], scores[:DOCUMENT_HITS], minlength=int(owners.max()) + 1
        )
        return _relative_to_best(sums[owners])

    def linked(self, rows: Rows, scores: Scores) -> Floats:
        """Sum of the scores of the hits that refer to each passage, the largest being 1."""
        sources, targets = self._edges
        sums = np.bincount(
            targets, self._by_row(rows, scores)[sources], minlength=len(self._titles)
        )
        return _relative_to_best(sums[rows])

    def beside(self, rows: Rows, scores: Scores) -> Floats:
        """Return the better score of the two passages next to each one in its document.

        Texts of an article in several versions count as one passage.
        """
        slots, titles = self._slots, np.append(self._title_of_slot, -1)
        by_slot = np.zeros(len(titles))  # slot -1 and the last + 1 are 0
        np.maximum.at(by_slot, slots[rows], scores)
        own = titles[slots[rows]]
        before, after = slots[rows] - 1, slots[rows] + 1
        better: Floats = np.maximum(
            np.where(titles[before] == own, by_slot[before], 0),
            np.where(titles[after] == own, by_slot[after], 0),
        )
        return better

    def cited_often(self, rows: Rows, scores: Scores) -> Floats:
        """Return log(1 + articles that refer to each passage's),
        the most cited of the corpus being 1.
        """
        return self._times_cited[rows]

    def act(self, rows: Rows, scores: Scores) -> Floats:
        """Return 1 for the text of an act, 0 for that of a decree, a rule or another document."""
        return self._acts[rows]

    def _by_row(self, rows: Rows, scores: Scores) -> Floats:
        by_row = np.zeros(len(self._titles))
        by_row[rows] = scores
        return by_row

    @cached_property
    def _titles(self) -> Rows:
        """Each passage's document, as a number."""
        number = {title: i for i, title in enumerate(self._index.titles)}
        return np.array([number[chunk.title] for chunk in self._index.chunks], dtype=np.int64)

    @cached_property
    def _slots(self) -> Rows:
        """Each row's passage: a text of an earlier version shares that of the text it follows."""
        own = [not chunk.until for chunk in self._index.chunks]
        return np.maximum(np.cumsum(own) - 1, 0)

    @cached_property
    def _title_of_slot(self) -> Rows:
        return self._titles[np.unique(self._slots, return_index=True)[1]]

    @cached_property
    def _edges(self) -> tuple[Rows, Rows]:
        """Rows that refer and rows referred to, one pair an entry."""
        rows_of_unit = self._index.rows_of_unit
        referring: dict[str, list[int]] = {}
        for row, chunk in enumerate(self._index.chunks):
            referring.setdefault(citation_key(chunk), []).append(row)
        pairs = [
            (source, target)
            for key, units in self._index.references.items()
            for source in referring.get(key, ())
            for unit in units
            for target in rows_of_unit.get(unit, ())
        ]
        edges = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return edges[:, 0], edges[:, 1]

    @cached_property
    def _times_cited(self) -> Floats:
        counts: dict[str, int] = {}
        for targets in self._index.references.values():
            for target in targets:
                counts[target] = counts.get(target, 0) + 1
        logs = np.log1p([counts.get(chunk.unit, 0) for chunk in self._index.chunks])
        return _relative_to_best(logs)

    @cached_property
    def _acts(self) -> Floats:
        return np.array(
            [
                chunk.kind == "statute" and not _BELOW_AN_ACT.search(chunk.title)
                for chunk in self._index.chunks
            ],
            dtype=np.float64,
        )


def _relative_to_best(values: Floats | Rows) -> Floats:
    """Divide by the largest value; zeros stay zero."""
    best = float(values.max()) if len(values) else 0.0
    return values / best if best > 0 else np.zeros(len(values))
