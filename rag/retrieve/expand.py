"""Articles put behind the found ones: those beside the best one, and those the found ones cite.

A rule often stands in two articles: the duty in one, its period, exception or penalty in another
that the first refers to, or in the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from kofinlaw.data.law.versions import act_of, citation_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.rag.index.index import Index
    from kofinlaw.records import Chunk


def neighbours(
    chunks: Sequence[Chunk],
    order: Sequence[int],
    reach: int,
    shown: NDArray[Any] | None = None,
) -> list[int]:
    """Places up to `reach` before and after the best one, in its document and not found yet.

    Only places that are `shown` (bool by place; None: all) count as steps: texts of other versions
    of the same act lie between.
    """
    if not reach or not order:
        return []
    best = order[0]
    document = act_of(chunks[best].document_id)

    def walk(step: int) -> list[int]:
        places: list[int] = []
        place = best + step
        while len(places) < reach and 0 <= place < len(chunks):
            if act_of(chunks[place].document_id) != document:
                break
            if shown is None or shown[place]:
                places.append(place)
            place += step
        return places

    before, after = walk(-1), walk(1)
    beside = [p for pair in zip_longest(before, after) for p in pair if p is not None]
    return [place for place in beside if place not in order]


def cross_references(
    index: Index,
    scores: Mapping[int, float],
    limit: int,
    shown: NDArray[Any] | None = None,
) -> list[int]:
    """First passages of at most `limit` units that the found passages cite, and did not find.

    `scores` are the fused scores of the found places. A unit weighs the sum of the scores of those
    that cite it: what several good passages point to comes first. Of a unit only texts that are
    `shown` (bool by place; None: all) are taken.
    """
    if not limit:
        return []
    found = {index.chunks[place].unit for place in scores}
    weights: dict[str, float] = {}
    first: dict[str, int] = {}
    for place, score in scores.items():
        for target in index.references.get(citation_key(index.chunks[place]), ()):
            if target in found:
                continue
            if target not in first:
                texts = index.places_of_unit.get(target, ())
                first[target] = next((p for p in texts if shown is None or shown[p]), -1)
            if first[target] >= 0:
                weights[target] = weights.get(target, 0.0) + score
    order = sorted(weights, key=lambda unit: -weights[unit])[:limit]  # stable: ties by appearance
    return [first[unit] for unit in order]
