"""Run forward and backward passes over examples of a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim import Optimizer

from kofinlaw.trainer.batching import pad_micro_batch
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.loss import causal_model, supervised_nll
from kofinlaw.trainer.noise import EmbeddingNoise
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.zero import Zero

if TYPE_CHECKING:
    from peft import PeftModel

# float16 gradients below 6e-8 vanish: the loss is scaled up and the float32 sums are scaled back.
FLOAT16_SCALE = 1024.0


class Passes:
    """The model with its examples; the methods take examples by index.

    `scale` is the factor of the loss before a backward pass. Gradients must be divided by it, or
    DeepSpeed divides them.
    """

    def __init__(
        self,
        model: PeftModel,
        examples: Sequence[Encoded],
        ranks: Ranks,
        settings: TrainSettings,
        *,
        noise: EmbeddingNoise | None = None,
        zero: Zero | None = None,
    ) -> None:
        self.model = model
        self.examples = examples
        self.lengths = [len(e) for e in examples]
        self.ranks = ranks
        self.settings = settings
        self.noise = noise
        self.zero = zero
        self.scale = FLOAT16_SCALE if causal_model(model).dtype == torch.float16 else 1.0
        if ranks.zero_stage:
            self.scale = float(ranks.world_size)  # DeepSpeed averages over the processes
        if ranks.device.type == "cpu":
            # Imported late: it imports transformers, and Unsloth must be imported before that.
            from kofinlaw.models.memory.heap_limit import limit_heap_growth

            limit_heap_growth(model)

    def under_zero(self, optimizer: Optimizer) -> Passes:
        """Start DeepSpeed's engine with `optimizer` and return the same passes, run by it."""
        zero = Zero(self.model, optimizer, self.settings, self.ranks.zero_stage)
        return Passes(
            self.model, self.examples, self.ranks, self.settings, noise=self.noise, zero=zero
        )

    def targets(self, part: Sequence[int]) -> int:
        """Return the number of supervised tokens of `part`."""
        return sum(self.examples[i].targets for i in part)

    def padded(self, part: Sequence[int]) -> int:
        """Return the number of tokens of a pass over `part`, with padding."""
        return max(self.lengths[i] for i in part) * len(part)

    def nll(self, part: Sequence[int]) -> Tensor:
        """Return the summed -log p of the supervised tokens of `part` in nats, differentiable."""
        rows = [self.examples[i] for i in part]
        arrays = pad_micro_batch([e.tokens for e in rows], [e.supervised for e in rows])
        ids, positions, targets = (torch.from_numpy(a).to(self.ranks.device) for a in arrays)
        chunk_rows = self.settings.head_chunk_rows
        if self.zero is not None:
            return self.zero.nll(ids, positions, targets, chunk_rows)
        return supervised_nll(self.model, ids, positions, targets, chunk_rows)

    def noise_of(self, step: int, part: Sequence[int]) -> AbstractContextManager[None]:
        """Return the block in which the embeddings of `part` get the noise of `step`, if any."""
        if self.noise is None:
            return nullcontext()
        return self.noise.during(step, part, self.lengths)

    def probe(self, part: Sequence[int]) -> None:
        """Run one forward and backward pass over `part`.

        Leaves gradients behind. Out of memory is raised unchanged.
        """
        (self.nll(part) * (self.scale / self.targets(part))).backward()
