"""Decide which pairs each step sees: by seed, without two pairs of one unit in a batch."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw import UserError

__all__ = ["JUDGED", "OWN", "TrainingPair", "hold_out", "schedule"]

OWN = "own"  # kind of the pairs that the user gives
JUDGED = frozenset({OWN, "decision"})  # kinds whose questions and answers people chose


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A query, its passage and one that does not answer (empty: none), with kind and unit."""

    anchor: str
    positive: str
    negative: str
    kind: str
    unit: str


def hold_out(
    pairs: Sequence[TrainingPair], share: float, seed: int
) -> tuple[list[TrainingPair], list[TrainingPair]]:
    """Return the pairs to train on and those of held-out units.

    `share` is the share of the units; all pairs of a unit are on one side. A held-out question
    of people that has other units too is not trained on with them.
    """
    units = sorted({pair.unit for pair in pairs})
    random.Random(f"{seed}:held out").shuffle(units)
    hidden = set(units[: round(share * len(units))])
    held = [pair for pair in pairs if pair.unit in hidden]
    asked = {pair.anchor for pair in held if pair.kind in JUDGED}
    return [p for p in pairs if p.unit not in hidden and p.anchor not in asked], held


def schedule(
    pairs: Sequence[TrainingPair], *, steps: int, batch: int, own_share: float, seed: int
) -> list[list[TrainingPair]]:
    """Return the pairs of each step.

    Each kind is shuffled and repeated. A batch has `own_share` of own pairs and court issues, if
    there are any. Within each side, a kind counts with the square root of its number, so that a
    rare kind is seen more often than its share. No unit and no query is twice in a batch: its
    passage would count as wrong for the other pair. A batch for which no further pair is left is
    shorter.

    Raises UserError if the pairs have fewer units or fewer queries than a batch has pairs.
    """
    kinds: dict[str, list[TrainingPair]] = {}
    for pair in pairs:
        kinds.setdefault(pair.kind, []).append(pair)
    units = len({pair.unit for pair in pairs})
    if units < batch:
        raise UserError(
            f"a batch of {batch} pairs needs as many units, and there are {units}",
            where="retriever.batch",
            remedy=f"set retriever.batch to at most {max(units, 2)}, or add documents or pairs",
        )
    queries = len({pair.anchor for pair in pairs})
    if queries < batch:
        raise UserError(
            f"a batch of {batch} pairs needs as many different queries, and there are {queries}",
            where="retriever.batch",
            remedy=f"set retriever.batch to at most {max(queries, 2)}, or add documents or pairs",
        )
    rng = random.Random(f"{seed}:schedule")
    streams = {kind: _repeated(kinds[kind], rng) for kind in sorted(kinds)}
    weights = _weights({kind: len(found) for kind, found in kinds.items()}, own_share)
    return [_batch(streams, weights, batch, rng, pairs) for _ in range(steps)]


def _weights(counts: dict[str, int], own_share: float) -> dict[str, float]:
    sides = [counts.keys() & JUDGED, counts.keys() - JUDGED]
    parts = [own_share, 1 - own_share] if all(sides) else [1.0, 1.0]
    shares: dict[str, float] = {}
    for kinds, part in zip(sides, parts, strict=True):
        total = sum(math.sqrt(counts[kind]) for kind in kinds)
        shares |= {kind: part * math.sqrt(counts[kind]) / total for kind in kinds}
    return {kind: shares[kind] for kind in sorted(shares)}


def _repeated(pairs: Sequence[TrainingPair], rng: random.Random) -> Iterator[TrainingPair]:
    while True:
        order = list(pairs)
        rng.shuffle(order)
        yield from order


def _batch(
    streams: dict[str, Iterator[TrainingPair]],
    weights: dict[str, float],
    batch: int,
    rng: random.Random,
    pairs: Sequence[TrainingPair],
) -> list[TrainingPair]:
    out: list[TrainingPair] = []
    units: set[str] = set()
    queries: set[str] = set()
    names, shares = list(weights), list(weights.values())

    def fits(pair: TrainingPair) -> bool:
        return pair.unit not in units and pair.anchor not in queries

    refused = 0  # pairs drawn since the last one that fitted
    while len(out) < batch:
        pair = next(streams[rng.choices(names, shares)[0]])
        if fits(pair):
            units.add(pair.unit)
            queries.add(pair.anchor)
            out.append(pair)
            refused = 0
            continue
        refused += 1
        if refused % len(pairs) == 0 and not any(map(fits, pairs)):
            break
    return out
