"""Noise on the embeddings while training (NEFTune, Jain et al. 2023, arXiv 2310.05914)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw.trainer.loss import causal_model

if TYPE_CHECKING:
    from torch import Tensor


class EmbeddingNoise:
    """Adds uniform noise of at most alpha/√(length x hidden) to every embedding of a pass.

    Each example's noise is drawn from (seed, step, example) alone, so that the way a step is cut
    and who computes it do not change it. The longest row of a pass is as far as padding reaches;
    an example's own length decides its noise.
    """

    def __init__(self, model: Any, alpha: float, *, seed: int) -> None:
        self.alpha = alpha
        self.seed = seed
        self.rows: list[tuple[int, int, int]] = []
        causal_model(model).get_input_embeddings().register_forward_hook(self._add)

    @contextmanager
    def during(self, step: int, part: Sequence[int], lengths: Sequence[int]) -> Iterator[None]:
        """Noise for the examples `part` of `step`; outside such a block there is none."""
        self.rows = [(step, index, lengths[index]) for index in part]
        try:
            yield
        finally:
            self.rows = []

    def _add(self, module: Any, inputs: Any, output: Tensor) -> Tensor | None:
        import torch

        if not self.rows:
            return None
        noise = torch.zeros(output.shape)
        for row, (step, index, length) in enumerate(self.rows):
            state = np.random.SeedSequence([self.seed, step, index]).generate_state(1)
            generator = torch.Generator().manual_seed(int(state[0]))
            most = self.alpha / math.sqrt(length * output.shape[-1])
            noise[row, :length].uniform_(-most, most, generator=generator)
        return output + noise.to(output)
