"""Weights and fusion of the retrievers, chosen on questions whose articles are known.

Every list is computed once and only fused anew for each setting, so a sweep costs little more than
one search. The single retrievers always stand in the table beside the hybrids.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.records import Question
from kofinlaw.rag.fusion import Ranked, fuse
from kofinlaw.rag.index import Index
from kofinlaw.rag.retrieve import Allowed, Retriever, kind_weights
from kofinlaw.rag.settings import Fusion, RagSettings, RetrieverWeights

ALPHAS = (0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0)
BIGRAM_WEIGHTS = (0.0, 0.5, 1.0, 2.0)
CASE_VOTES = (0.0, 0.3, 0.5, 0.7, 0.85)
FUSIONS: tuple[Fusion, ...] = ("relative_score", "ranked")


@dataclass(frozen=True)
class Tuned:
    """The chosen settings, and a row a setting tried: name, weights, fusion, recall, MRR."""

    settings: RagSettings
    table: list[dict[str, Any]]


def tune(
    index: Index,
    settings: RagSettings,
    questions: Sequence[Question],
    gold: Sequence[Sequence[str]],
    *,
    k: int = 10,
    cache: Path | None = None,
    allowed: Allowed | None = None,
    progress: Progress = silent,
) -> Tuned:
    """Sweep alpha (where there is an embedder), the bigrams' weight (where both are indexed), the
    decisions' votes (where there are any) and the fusion; the best recall at `k`, then MRR, wins,
    the earlier in the table on a tie.

    `gold` are the units each question should find; `allowed` as in `Retriever.search`.
    Raises UserError without any question.
    """
    if not questions:
        raise UserError("there is no question to tune on")
    both = {"kiwi", "bigram"} <= set(index.meta["lexical"])
    widest = settings.model_copy(
        update={
            "lexical": "both" if both else index.meta["lexical"][0],
            "alpha": 0.5,
            "case_votes": 0.5 if index.cited else 0.0,
            "weights": RetrieverWeights(),
        }
    )
    lists = Retriever(index, widest, cache=cache).lists(questions, allowed=allowed)
    units = [chunk.unit for chunk in index.chunks]
    alphas = ALPHAS if settings.embedder is not None else (0.0,)
    table: list[dict[str, Any]] = []
    tried: list[RagSettings] = []
    rows = itertools.product(
        FUSIONS,
        BIGRAM_WEIGHTS if both else (1.0,),
        CASE_VOTES if index.cited else (0.0,),
        alphas,
    )
    alone = {"alpha": 0.0, "case_votes": 0.0}
    singles: list[tuple[str, RagSettings]] = [
        (kind, widest.model_copy(update={**alone, "lexical": kind}))
        for kind in index.meta["lexical"]
    ]
    if settings.embedder is not None:
        singles.append(("dense", widest.model_copy(update={**alone, "alpha": 1.0})))
    hybrids = [
        (
            "hybrid",
            widest.model_copy(
                update={
                    "alpha": alpha,
                    "fusion": fusion,
                    "case_votes": votes,
                    "weights": RetrieverWeights(bigram=bigram),
                }
            ),
        )
        for fusion, bigram, votes, alpha in rows
    ]
    for number, (name, one) in enumerate([*singles, *hybrids]):
        found = [refused(own, one, units, k) for own in lists]
        recall, mrr = _scores(found, gold)
        tried.append(one)
        table.append(
            {
                "name": name,
                "alpha": one.alpha,
                "bigram": one.weights.bigram if one.lexical == "both" else None,
                "case_votes": one.case_votes,
                "fusion": one.fusion,
                f"recall@{k}": round(recall, 4),
                "mrr": round(mrr, 4),
            }
        )
        progress("tune", number + 1, len(singles) + len(hybrids))
    best = max(range(len(table)), key=lambda i: (table[i][f"recall@{k}"], table[i]["mrr"], -i))
    chosen = tried[best].model_copy(update={"k": settings.k, "pool": settings.pool})
    return Tuned(chosen, table)


def refused(
    lists: Sequence[Ranked], settings: RagSettings, units: Sequence[str], k: int
) -> list[str]:
    """The first `k` units when the same lists are fused under other settings."""
    weights = kind_weights(settings)
    counts: dict[str, int] = {}
    for ranked in lists:
        kind = ranked.by.split(":")[0]
        counts[kind] = counts.get(kind, 0) + 1
    again = [
        replace(ranked, weight=weights.get(kind, 0.0) / counts[kind])
        for ranked in lists
        if weights.get(kind := ranked.by.split(":")[0], 0.0) > 0
    ]
    found = fuse(again, settings.fusion)
    return list(dict.fromkeys(units[place] for place, _, _ in found))[:k]


def _scores(found: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Mean share of the gold units found, and mean reciprocal rank of the first."""
    recall = mrr = 0.0
    for units, wanted in zip(found, gold, strict=True):
        recall += len(set(units) & set(wanted)) / max(1, len(set(wanted)))
        mrr += next((1 / (i + 1) for i, unit in enumerate(units) if unit in wanted), 0.0)
    return recall / len(gold), mrr / len(gold)
