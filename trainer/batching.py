"""Which examples a step holds, and how it is cut into micro-batches.

The first is decided by seed and step number alone, the second by memory alone. That is what
makes a run's result independent of the card it ran on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

# What starting one more pass costs, in tokens' worth of time; chosen, not measured.
PASS_COST_TOKENS = 24


@dataclass(frozen=True, slots=True)
class StepPlan:
    """How many steps a run has and what is in them, from a stream of shuffled epochs.

    The stream shows `count` examples an epoch and `total` in all. Step k ends before position
    `ends[k]`; where `ends` is empty every step takes `batch` examples.
    """

    seed: int
    count: int
    batch: int
    steps: int
    total: int
    ends: tuple[int, ...] = ()

    def members(self, step: int) -> list[int]:
        """Indices of the examples of `step` (from 0), in the order of the shuffled stream."""
        first, last = step * self.batch, min((step + 1) * self.batch, self.total)
        if self.ends:
            first, last = self.ends[step - 1] if step else 0, self.ends[step]
        return [
            int(_order(self.seed, position // self.count, self.count)[position % self.count])
            for position in range(first, last)
        ]


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
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
    """The run's steps: as many as `epochs` asks for, fewer where a cap is met first.

    `lengths` are the examples' tokens. A step has `batch` examples; with `batch_targets` it ends
    with the example that brings its supervised tokens (`targets` of each example) to that number.
    At least one step is planned. The last step may be short.
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
    count = len(targets)
    ends = []
    held = 0
    for position in range(total):
        held += targets[_order(seed, position // count, count)[position % count]]
        if held >= goal or position == total - 1:
            ends.append(position + 1)
            held = 0
    return tuple(ends)


def split_over_ranks(members: Sequence[int], lengths: Sequence[int], ranks: int) -> list[list[int]]:
    """The step's examples over `ranks` processes, longest first to the least loaded.

    A process may get none where there are fewer examples than processes.
    """
    parts: list[list[int]] = [[] for _ in range(ranks)]
    loads = [0] * ranks
    for index in sorted(members, key=lambda i: (-lengths[i], i)):
        rank = loads.index(min(loads))
        parts[rank].append(index)
        loads[rank] += lengths[index]
    return parts


def split_micro_batches(
    members: Sequence[int], lengths: Sequence[int], budget: int
) -> list[list[int]]:
    """Micro-batches of a step, shortest examples first, each of padded tokens ≤ `budget`.

    Padded tokens are the longest length times the number of examples; an example longer than the
    budget gets a micro-batch of its own. Among such cuts of the length-sorted row, the one with
    the least padded tokens plus `PASS_COST_TOKENS` a pass is chosen (dynamic programming).
    """
    row = sorted(members, key=lambda i: (lengths[i], i))
    best = [0.0] + [float("inf")] * len(row)
    back = [0] * (len(row) + 1)
    for end in range(1, len(row) + 1):
        longest = lengths[row[end - 1]]
        for start in range(end - 1, -1, -1):
            padded = longest * (end - start)
            if padded > budget and end - start > 1:
                break
            if best[start] + padded + PASS_COST_TOKENS < best[end]:
                best[end] = best[start] + padded + PASS_COST_TOKENS
                back[end] = start
    cuts: list[list[int]] = []
    end = len(row)
    while end:
        cuts.append(row[back[end] : end])
        end = back[end]
    return cuts[::-1]


def pad_micro_batch(
    rows: Sequence[np.ndarray], masks: Sequence[np.ndarray], filler: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A micro-batch: ids [b, n] padded on the right, flat positions to predict from, targets.

    Position `b·n + t` predicts token t + 1 of row b. Under causal attention the padding stands
    after every real token, so no attention mask is needed and none is made.
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
