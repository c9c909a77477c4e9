"""Earlier court decisions as witnesses: those like the question vote for the articles they cite.

Courts word an issue as other courts did, and not as the statute does: on masked court issues the
vote finds the cited articles far oftener than the articles' own words do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.data.records import Chunk

POWER = 2.0  # a vote weighs score ** 2: measured at least as good as 1 and 3 on the earlier half


def cited_places(chunks: Sequence[Chunk]) -> dict[int, list[int]]:
    """For each passage of a decision (kind `case`) the places of the articles it cites.

    A passage that cites none (an issue, whose articles stand in a section of their own) counts for
    all that its decision cites.
    """
    from kofinlaw.data.citations import cited_units

    places: dict[str, list[int]] = {}
    for place, chunk in enumerate(chunks):
        if chunk.kind != "case":
            places.setdefault(chunk.unit, []).append(place)
    titles = sorted({chunk.title for chunk in chunks if chunk.kind != "case"})
    own: dict[int, list[int]] = {}
    whole: dict[str, dict[int, None]] = {}
    for place, chunk in enumerate(chunks):
        if chunk.kind != "case":
            continue
        units = cited_units(chunk.text, titles)
        own[place] = [target for unit in units for target in places.get(unit, ())]
        whole.setdefault(chunk.document_id, {}).update(dict.fromkeys(own[place]))
    out = {p: found or list(whole[chunks[p].document_id]) for p, found in own.items()}
    return {place: found for place, found in out.items() if found}


def vote(
    voters: NDArray[Any], scores: NDArray[Any], cited: Mapping[int, Sequence[int]], k: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places and votes of the `k` articles that the `voters` cite, best first.

    `voters` are places of decisions' passages, `scores` how like the question they are.
    """
    votes: dict[int, float] = {}
    for voter, score in zip(voters.tolist(), scores.tolist(), strict=True):
        for place in cited[voter]:
            votes[place] = votes.get(place, 0.0) + score**POWER
    best = sorted(votes, key=lambda place: (-votes[place], place))[:k]
    return np.array(best, np.int64), np.array([votes[place] for place in best], np.float64)
