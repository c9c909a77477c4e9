"""Add articles behind the hits: the neighbours of the best one, and the articles that hits cite.

A rule often needs two articles: one has the duty, and its period, exception or penalty is in
another article that the first refers to, or in the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.law.annex_links import is_annex
from kofinlaw.data.law.versions import act_of, citation_key
from kofinlaw.data.prompting.packing import LENGTH_EXPONENT
from kofinlaw.rag.arrays import Mask
from kofinlaw.rag.index.index import Index
from kofinlaw.records import Chunk

__all__ = ["annex_rows", "cross_references", "neighbours"]


def neighbours(
    chunks: Sequence[Chunk], order: Sequence[int], reach: int, shown: Mask | None = None
) -> list[int]:
    """Return rows up to `reach` before and after the best one, in its document and not found yet.

    `order` are the rows found, best first. Only rows that are `shown` (None: all) count as steps,
    because texts of other versions of the same act lie between them.
    """
    if not reach or not order:
        return []
    best = order[0]
    document = act_of(chunks[best].document_id)

    def walk(step: int) -> list[int]:
        rows: list[int] = []
        row = best + step
        while len(rows) < reach and 0 <= row < len(chunks):
            if act_of(chunks[row].document_id) != document:
                break
            if shown is None or shown[row]:
                rows.append(row)
            row += step
        return rows

    before, after = walk(-1), walk(1)
    nearest_first = [row for pair in zip_longest(before, after) for row in pair if row is not None]
    return [row for row in nearest_first if row not in order]


def cross_references(
    index: Index, scores: Mapping[int, float], limit: int, shown: Mask | None = None
) -> list[int]:
    """Return the first passages of at most `limit` units that the hits cite
    and that were not found.

    `scores` are the fused scores of the hits by row. A unit's weight is the sum of the scores of
    the hits that cite it, so an article that several good hits cite comes first. Only texts that
    are `shown` (None: all) are used.
    """
    if not limit:
        return []
    found = {index.chunks[row].unit for row in scores}
    weights: dict[str, float] = {}
    first: dict[str, int] = {}
    for row, score in scores.items():
        for target in index.references.get(citation_key(index.chunks[row]), ()):
            if target in found:
                continue
            if target not in first:
                texts = index.rows_of_unit.get(target, ())
                first[target] = next((p for p in texts if shown is None or shown[p]), -1)
            if first[target] >= 0:
                weights[target] = weights.get(target, 0.0) + score
    order = sorted(weights, key=lambda unit: -weights[unit])[:limit]  # stable: ties by appearance
    return [first[unit] for unit in order]


def annex_rows(
    index: Index, order: Sequence[int], query: str, limit: int, shown: Mask | None = None
) -> list[tuple[int, int]]:
    """Return (position in `order`, row) of the best passage of each annex that the hits name.

    `order` are the rows found, best first. The best passage shares most bigrams with the query,
    weighed by its length as in the packer. At most `limit` passages, none found already, and only
    texts that are `shown` (None: all).
    """
    if not limit:
        return []
    found = set(order)
    wanted = frozenset(bigrams(query))
    out: list[tuple[int, int]] = []
    for position, row in enumerate(order):
        if is_annex(index.chunks[row].unit):
            continue
        for target in index.references.get(citation_key(index.chunks[row]), ()):
            rows = index.rows_of_unit.get(target, ()) if is_annex(target) else ()
            texts = [p for p in rows if shown is None or shown[p]]
            if not texts:
                continue
            best = max(texts, key=lambda p: (_shared(index.chunks[p].text, wanted), -p))
            if best not in found:
                found.add(best)
                out.append((position, best))
                if len(out) == limit:
                    return out
    return out


def _shared(text: str, wanted: frozenset[str]) -> float:
    grams = set(bigrams(text))
    return len(grams & wanted) / max(len(grams), 1) ** LENGTH_EXPONENT
