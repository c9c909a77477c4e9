"""Lay out the examples of a pass as rows: texts, packed items, or an item's options one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kofinlaw.trainer.batching import pad_micro_batch
from kofinlaw.trainer.encoding import Encoded

__all__ = ["PassRows", "area", "pass_rows", "rows_of", "width_of"]


@dataclass(frozen=True, slots=True)
class PassRows:
    """The rows of a pass as int64 arrays.

    - `ids` [b, n] are padded on the right; `sources` [m] and `targets` [m] are flat positions to
      predict from and the tokens to predict, in the order of the examples.
    - `sizes` splits the m targets into pieces: one for a text; for an item one for each option,
      then one for each option after the reference prompt, if it has one.
    - `layout` [3, b, n] holds position, part and prompt's part of each token; None if all rows are
      plain texts, for which causal attention is enough.
    """

    ids: NDArray[np.int64]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    sizes: tuple[int, ...]
    layout: NDArray[np.int64] | None

    def arrays(self) -> list[NDArray[np.int64]]:
        """Return the arrays that a pass needs on its device: ids, sources, targets, any layout."""
        known = [self.ids, self.sources, self.targets]
        return known if self.layout is None else [*known, self.layout]


def rows_of(example: Encoded, *, packed: bool) -> int:
    """Return how many rows of a pass an example takes."""
    return 1 if packed or example.choice is None else len(example.choice.sizes())


def width_of(example: Encoded, *, packed: bool) -> int:
    """Return the tokens of the longest row of an example."""
    return len(example) if packed or example.choice is None else example.choice.span


def area(examples: Sequence[Encoded], *, packed: bool) -> int:
    """Return the tokens of a pass over `examples`, with padding."""
    rows = sum(rows_of(example, packed=packed) for example in examples)
    return rows * max(width_of(example, packed=packed) for example in examples)


def pass_rows(examples: Sequence[Encoded], *, packed: bool) -> PassRows:
    """Lay out `examples`; `packed` puts each item into one row, else each option has its own."""
    sizes: list[int] = []
    for example in examples:
        sizes += [example.targets] if example.choice is None else example.choice.sizes()
    if packed and any(example.choice is not None for example in examples):
        return _packed(examples, tuple(sizes))
    rows = []
    for example in examples:
        if example.choice is None:
            rows.append((example.tokens, example.supervised))
        else:
            rows += example.choice.branches(example.tokens)
    ids, sources, targets = pad_micro_batch([row for row, _ in rows], [mask for _, mask in rows])
    return PassRows(ids, sources, targets, tuple(sizes), None)


def _packed(examples: Sequence[Encoded], sizes: tuple[int, ...]) -> PassRows:
    longest = max(map(len, examples))
    ids = np.zeros((len(examples), longest), dtype=np.int64)
    layout = np.zeros((3, *ids.shape), dtype=np.int64)
    layout[1:] = -1  # the padding is a part of its own
    sources, targets = [], []
    for b, example in enumerate(examples):
        n, choice = len(example), example.choice
        ids[b, :n] = example.tokens
        scored = np.flatnonzero(example.supervised)
        if choice is None:
            layout[0, b, :n] = np.arange(n)
            layout[1:, b, :n] = 0
            source = scored - 1
        else:
            layout[0, b, :n] = choice.positions()
            layout[1, b, :n], layout[2, b, :n] = choice.segments()
            source = choice.sources()
        sources.append(b * longest + source)
        targets.append(example.tokens[scored])
    return PassRows(ids, np.concatenate(sources), np.concatenate(targets), sizes, layout)
