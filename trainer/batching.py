"""Plan which examples a step holds and split a step into micro-batches.

Seed and step number alone decide which examples a step holds. Memory alone decides how they are
split. The result of a run is therefore independent of the card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PASS_COST_TOKENS",
    "StepPlan",
    "pad_micro_batch",
    "plan_steps",
    "split_micro_batches",
    "split_over_ranks",
]

# Time to start one more pass, expressed in tokens; chosen, not measured.
PASS_COST_TOKENS = 24


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The steps of a run over a stream of shuffled epochs.

    An epoch of the stream has `count` examples, the whole stream `total`. Step k ends before
    position `ends[k]` of the stream. If `ends` is empty, every step takes `batch` examples.
    """

    seed: int
    count: int
    batch: int
    steps: int
    total: int
    ends: tuple[int, ...] = ()

    def members(self, step: int) -> list[int]:
        """Return the indices of the examples of `step` (from 0) in the order of the stream."""
        first, last = step * self.batch, min((step + 1) * self.batch, self.total)
        if self.ends:
            first, last = self.ends[step - 1] if step else 0, self.ends[step]
        return [
            int(_order(self.seed, position // self.count, self.count)[position % self.count])
            for position in range(first, last)
        ]


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(count)


def plan_steps(
    lengths: Sequence[int],
    *,
    seed: int,
    batch: int,
    epochs: float,
    max_steps: int | None = None,
    max_tokens: int | None = None,
    targets: Sequence[int] = (),
    batch_targets: int | None = None,
) -> StepPlan:
    """Plan the steps of a run: as many as `epochs` needs, fewer if a limit is reached first.

    At least one step is planned. The last step may be short.

    Args:
        lengths: tokens of each example.
        seed: seed of the order of examples.
        batch: examples in a step, unless `batch_targets` is given.
        epochs: passes over the examples.
        max_steps: limit of the number of steps.
        max_tokens: limit of the real tokens over all steps.
        targets: supervised tokens of each example; needed for `batch_targets`.
        batch_targets: a step ends with the example that reaches this many supervised tokens.
    """
    count = len(lengths)
    total = max(1, round(epochs * count))
    ends = _ends(seed, targets, total, batch_targets) if batch_targets else ()
    steps = len(ends) or -(-total // batch)
    if max_steps is not None:
        steps = min(steps, max_steps)
    plan = StepPlan(seed, count, batch, steps, total, ends)
    if max_tokens is None:
        return plan
    used = 0
    for step in range(steps):
        used += sum(lengths[i] for i in plan.members(step))
        if used > max_tokens:
            return replace(plan, steps=max(1, step))
    return plan


def _ends(seed: int, targets: Sequence[int], total: int, goal: int) -> tuple[int, ...]:
    """Return the stream position after the last example of each step of `goal` targets."""
    count = len(targets)
    ends = []
    collected = 0
    for position in range(total):
        collected += targets[_order(seed, position // count, count)[position % count]]
        if collected >= goal or position == total - 1:
            ends.append(position + 1)
            collected = 0
    return tuple(ends)


def split_over_ranks(members: Sequence[int], lengths: Sequence[int], ranks: int) -> list[list[int]]:
    """Divide the examples of a step over `ranks` processes, longest first to the least loaded.

    A process may get no example if there are fewer examples than processes.
    """
    parts: list[list[int]] = [[] for _ in range(ranks)]
    loads = [0] * ranks
    for index in sorted(members, key=lambda i: (-lengths[i], i)):
        rank = loads.index(min(loads))
        parts[rank].append(index)
        loads[rank] += lengths[index]
    return parts


def split_micro_batches(
    members: Sequence[int],
    lengths: Sequence[int],
    budget: int,
    rows: Sequence[int] | None = None,
) -> list[list[int]]:
    """Split the examples of a step into micro-batches of at most `budget` padded tokens.

    Padded tokens are the longest length times the number of rows. `rows` gives the rows of each
    example; None: one row each. The rows of an example stay together. The examples are sorted by
    length, shortest first. Of all splits of that row, dynamic programming chooses the one with the
    fewest padded tokens plus `PASS_COST_TOKENS` per pass. An example that is longer than the
    budget gets its own micro-batch.
    """
    row = sorted(members, key=lambda i: (lengths[i], i))
    heights = [1 if rows is None else rows[i] for i in row]
    best = [0.0] + [float("inf")] * len(row)
    back = [0] * (len(row) + 1)
    for end in range(1, len(row) + 1):
        longest = lengths[row[end - 1]]
        height = 0
        for start in range(end - 1, -1, -1):
            height += heights[start]
            padded = longest * height
            if padded > budget and end - start > 1:
                break
            if best[start] + padded + PASS_COST_TOKENS < best[end]:
                best[end] = best[start] + padded + PASS_COST_TOKENS
                back[end] = start
    micro_batches: list[list[int]] = []
    end = len(row)
    while end:
        micro_batches.append(row[back[end] : end])
        end = back[end]
    return micro_batches[::-1]


def pad_micro_batch(
    rows: Sequence[NDArray[np.int64]], masks: Sequence[NDArray[np.bool_]], filler: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pad `rows` of tokens on the right; return ids [b, n], flat positions and targets.

    Position `b·n + t` predicts token t + 1 of row b, for every token that `masks` marks as
    supervised. Under causal attention no real token sees the padding after it, so no attention
    mask is needed.
    """
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), filler, dtype=np.int64)
    positions = []
    targets = []
    for b, (row, mask) in enumerate(zip(rows, masks, strict=True)):
        ids[b, : len(row)] = row
        where = np.flatnonzero(mask)
        positions.append(b * longest + where - 1)
        targets.append(row[where])
    return ids, np.concatenate(positions), np.concatenate(targets)
