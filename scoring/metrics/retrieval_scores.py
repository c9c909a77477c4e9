"""Compute retrieval metrics over articles; several chunks of one article count once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from kofinlaw.scoring.result import Retrieval

__all__ = ["first_rank", "in_context", "ndcg", "ranked_units", "retrieval_scores"]


def ranked_units(evidence: Iterable[str], unit_of: Mapping[str, str]) -> list[str]:
    """Return the distinct units of the chunks, best first; an unknown chunk is its own unit."""
    return list(dict.fromkeys(unit_of.get(chunk, chunk) for chunk in evidence))


def first_rank(units: Sequence[str], gold: Iterable[str]) -> int | None:
    """Return the rank of the first gold unit, from 1; None if there is none."""
    wanted = set(gold)
    return next((rank for rank, unit in enumerate(units, 1) if unit in wanted), None)


def ndcg(units: Sequence[str], gold: Iterable[str], k: int = 10) -> float:
    """Return nDCG@k with binary relevance (Järvelin & Kekäläinen 2002)."""
    wanted = set(gold)
    gain = sum(1 / math.log2(rank + 1) for rank, unit in enumerate(units[:k], 1) if unit in wanted)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(wanted), k) + 1))
    return gain / best if best else 0.0


def retrieval_scores(
    gold: Mapping[str, Sequence[str]],
    evidence: Mapping[str, Sequence[str]],
    unit_of: Mapping[str, str],
    shown: Mapping[str, Sequence[str]] | None = None,
) -> Retrieval | None:
    """Return the metrics over the questions with gold units; no evidence counts as a miss.

    None if no question has gold units, no question has evidence (a model without retrieval), or
    the units of the chunks are not known.

    Args:
        gold: gold units by question id.
        evidence: retrieved chunk ids by question id, best first.
        unit_of: unit by chunk id.
        shown: chunk ids in the prompt, by question id, for the questions where they are known.
    """
    asked = {name: units for name, units in gold.items() if units}
    if not asked or not unit_of or not any(evidence.get(name) for name in asked):
        return None
    found = {name: ranked_units(evidence.get(name, ()), unit_of) for name in asked}
    ranks = [first_rank(found[name], units) for name, units in asked.items()]
    n = len(asked)

    included = [in_context(name, gold[name], shown or {}, unit_of) for name in asked]
    known = [value for value in included if value is not None]

    def hit(k: int) -> float:
        return sum(rank is not None and rank <= k for rank in ranks) / n

    def recall(k: int) -> float:
        shares = (len(set(u) & set(found[name][:k])) / len(set(u)) for name, u in asked.items())
        return sum(shares) / n

    return Retrieval(
        n=n,
        hit_1=hit(1),
        hit_3=hit(3),
        hit_5=hit(5),
        mrr=sum(1 / rank for rank in ranks if rank) / n,
        ndcg_10=sum(ndcg(found[name], units) for name, units in asked.items()) / n,
        depth=float(median(len(units) for units in found.values())),
        recall_3=recall(3),
        recall_5=recall(5),
        in_context=sum(known) / len(known) if known else None,
        in_context_n=len(known),
    )


def in_context(
    name: str,
    gold: Iterable[str],
    shown: Mapping[str, Sequence[str]],
    unit_of: Mapping[str, str],
) -> bool | None:
    """Return whether a gold article was in the question's prompt; None if that is unknown."""
    if name not in shown:
        return None
    return bool(set(gold) & {unit_of.get(chunk, chunk) for chunk in shown[name]})
