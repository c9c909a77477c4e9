"""Add noise to the embeddings during training (NEFTune, Jain et al. 2023, arXiv 2310.05914)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from kofinlaw.trainer.loss import causal_model

__all__ = ["EmbeddingNoise"]


class EmbeddingNoise:
    """Adds uniform noise of at most alpha/√(length x hidden) to every embedding of a pass.

    The noise of an example is drawn from (seed, step, example), so it does not depend on the split
    into micro-batches or on the process. `length` is the example's own, without the padding.
    """

    def __init__(self, model: Module, alpha: float, *, seed: int) -> None:
        self.alpha = alpha
        self.seed = seed
        self.rows: list[tuple[int, int, int]] = []
        causal_model(model).get_input_embeddings().register_forward_hook(self._add)

    @contextmanager
    def during(
        self, step: int, part: Sequence[int], lengths: Sequence[int] | Mapping[int, int]
    ) -> Iterator[None]:
        """Add noise for the examples `part` of `step` inside the block; outside there is none.

        `lengths` gives the tokens of every example by its index.
        """
        self.rows = [(step, index, lengths[index]) for index in part]
        try:
            yield
        finally:
            self.rows = []

    def _add(self, module: Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        if not self.rows:
            return None
        noise = torch.zeros(output.shape)
        if len(self.rows) > len(output):  # the examples are end to end in one row
            rows = noise[0].split([length for _, _, length in self.rows])
        else:
            rows = tuple(noise)
        for row, (step, index, length) in zip(rows, self.rows, strict=True):
            state = np.random.SeedSequence([self.seed, step, index]).generate_state(1)
            generator = torch.Generator().manual_seed(int(state[0]))
            most = self.alpha / math.sqrt(length * output.shape[-1])
            row[:length].uniform_(-most, most, generator=generator)
        return output + noise.to(output)
