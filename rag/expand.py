"""Articles put behind the found ones: those beside the best one, and those the found ones cite.

A rule often stands in two articles: the duty in one, its period, exception or penalty in another
that the first refers to, or in the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw.data.files import read_json_lines

if TYPE_CHECKING:
    from kofinlaw.data.records import Chunk
    from kofinlaw.rag.index import Index


def read_references(citations: Path) -> list[tuple[str, list[str]]]:
    """(unit, units it refers to) from a corpus's `citations.jsonl`; none where there is no file.

    Only references to other articles of the corpus are kept, each once, in order of appearance.
    """
    if not citations.exists():
        return []
    out: dict[str, dict[str, None]] = {}
    for _, edge in read_json_lines(citations):
        if edge["resolved"] and edge["source"] != edge["target"]:
            out.setdefault(edge["source"], {})[edge["target"]] = None
    return [(source, list(targets)) for source, targets in out.items()]


def neighbours(chunks: Sequence[Chunk], order: Sequence[int], reach: int) -> list[int]:
    """Places up to `reach` before and after the best one, in its document and not found yet."""
    if not reach or not order:
        return []
    best = order[0]
    beside = [p for step in range(1, reach + 1) for p in (best - step, best + step)]
    return [
        place
        for place in beside
        if 0 <= place < len(chunks)
        and place not in order
        and chunks[place].document_id == chunks[best].document_id
    ]


def cross_references(index: Index, scores: Mapping[int, float], limit: int) -> list[int]:
    """First passages of at most `limit` units that the found passages cite, and did not find.

    `scores` are the fused scores of the found places. A unit weighs the sum of the scores of those
    that cite it: what several good passages point to comes first.
    """
    if not limit:
        return []
    found = {index.chunks[place].unit for place in scores}
    weights: dict[str, float] = {}
    for place, score in scores.items():
        for target in index.references.get(index.chunks[place].unit, ()):
            if target not in found and target in index.places_of_unit:
                weights[target] = weights.get(target, 0.0) + score
    order = sorted(weights, key=lambda unit: -weights[unit])[:limit]  # stable: ties by appearance
    return [index.places_of_unit[unit][0] for unit in order]
