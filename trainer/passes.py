"""Run forward and backward passes over examples of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim import Optimizer

from kofinlaw.trainer.batching import split_micro_batches
from kofinlaw.trainer.contrast.attention import RowLayout
from kofinlaw.trainer.contrast.loss import choice_loss
from kofinlaw.trainer.contrast.rows import area, pass_rows, rows_of, width_of
from kofinlaw.trainer.device.copies import on_device
from kofinlaw.trainer.device.padding_free import join_rows, split_joined
from kofinlaw.trainer.device.varlen_attention import JoinedRows
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.loss import causal_model, token_nll
from kofinlaw.trainer.noise import EmbeddingNoise
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.zero import Zero

if TYPE_CHECKING:
    from peft import PeftModel

__all__ = ["FLOAT16_SCALE", "LossWeights", "PassLoss", "Passes"]

# float16 gradients below 6e-8 vanish: the loss is scaled up and the float32 sums are scaled back.
FLOAT16_SCALE = 1024.0


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The factors of the sums of a step; they depend on its examples, never on its split.

    The loss of a step is `text` times the summed loss of its supervised tokens, plus `choice`
    times the summed loss of its items.
    """

    text: float
    choice: float


@dataclass(frozen=True, slots=True)
class PassLoss:
    """The sums of a pass: two float32 scalars in nats, and the credit of its items.

    `text` is summed over supervised tokens, `choice` over items. `right` counts the items whose
    right option is preferred.
    """

    text: Tensor
    choice: Tensor
    right: Tensor

    def weighted(self, weights: LossWeights) -> Tensor:
        """Return the part of this pass in the loss of its step, differentiable."""
        return weights.text * self.text + weights.choice * self.choice

    def sums(self) -> Tensor:
        """Return the three sums on the device, without their graph, float32 [3]."""
        return torch.stack([self.text, self.choice, self.right]).detach()


class Passes:
    """The model with its examples; the methods take examples by index.

    `scale` is the factor of the loss before a backward pass. Gradients must be divided by it, or
    DeepSpeed divides them. `packed` puts the options of an item into one row. `lengths` are the
    tokens that a pass over an example alone computes, `tokens` those that it reads once.
    `joined` lays the examples of a pass end to end; they are texts then, and the model has varlen
    attention (`device.padding_free`).
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
        packed: bool = True,
        joined: bool = False,
    ) -> None:
        self.model = model
        self.examples = examples
        self.packed = packed
        self.joined = joined
        self.widths = [width_of(e, packed=packed) for e in examples]
        self.rows = [rows_of(e, packed=packed) for e in examples]
        self.lengths = [area([e], packed=packed) for e in examples]
        self.ranks = ranks
        self.settings = settings
        self.noise = noise
        self.zero = zero
        self.scale = FLOAT16_SCALE if causal_model(model).dtype == torch.float16 else 1.0
        if ranks.zero_stage:
            self.scale = float(ranks.world_size)  # DeepSpeed averages over the processes
        config = causal_model(model).config.get_text_config()
        self.ceiling = 3 * math.log(config.vocab_size)  # nats per token; above it a loss exploded
        if ranks.device.type == "cpu":
            # Imported late: it imports transformers, which takes seconds.
            from kofinlaw.models.memory.heap_limit import limit_heap_growth

            limit_heap_growth(model)

    def under_zero(self, optimizer: Optimizer) -> Passes:
        """Start DeepSpeed's engine with `optimizer` and return the same passes, run by it."""
        zero = Zero(self.model, optimizer, self.settings, self.ranks.zero_stage)
        return Passes(
            self.model,
            self.examples,
            self.ranks,
            self.settings,
            noise=self.noise,
            zero=zero,
            packed=self.packed,
            joined=self.joined,
        )

    def split(self, members: Sequence[int], budget: int) -> list[list[int]]:
        """Split `members` into passes of at most `budget` tokens, padding included."""
        if self.joined:
            return split_joined(members, self.lengths, budget)
        return split_micro_batches(members, self.widths, budget, self.rows)

    def targets(self, part: Sequence[int]) -> int:
        """Return the number of supervised tokens of `part`."""
        return sum(self.examples[i].targets for i in part)

    def choices(self, part: Sequence[int]) -> int:
        """Return the number of items in `part`."""
        return sum(self.examples[i].choice is not None for i in part)

    def tokens(self, part: Sequence[int]) -> int:
        """Return the real tokens of `part`; the prompt of an item counts once."""
        return sum(len(self.examples[i]) for i in part)

    def padded(self, part: Sequence[int]) -> int:
        """Return the number of tokens of a pass over `part`, with padding."""
        if self.joined:
            return sum(self.lengths[i] for i in part)
        return area([self.examples[i] for i in part], packed=self.packed)

    def weights(self, members: Sequence[int]) -> LossWeights:
        """Return the factors of the sums of a step over `members`.

        Texts count by their mean loss per supervised token, items by their mean loss, both in
        proportion to their share of the examples of the step. Without items the loss is the mean
        over the supervised tokens.
        """
        texts = [i for i in members if self.examples[i].choice is None]
        text = len(texts) / (len(members) * self.targets(texts)) if texts else 0.0
        return LossWeights(text, self.settings.contrast.weight / len(members))

    def loss(self, part: Sequence[int]) -> PassLoss:
        """Return the sums of a pass over `part`, differentiable in the trained parameters."""
        examples = [self.examples[i] for i in part]
        layout: RowLayout | JoinedRows | None = None
        if self.joined:
            arrays = join_rows([e.tokens for e in examples], [e.supervised for e in examples])
            ids, sources, targets, places, ends = on_device(arrays, self.ranks.device)
            layout = JoinedRows(places, ends.int(), max(map(len, examples)))
            sizes = tuple(example.targets for example in examples)
        else:
            rows = pass_rows(examples, packed=self.packed)
            sizes = rows.sizes
            ids, sources, targets, *layouts = on_device(rows.arrays(), self.ranks.device)
            layout = RowLayout(*layouts[0]) if layouts else None
        chunk_rows = self.settings.head_chunk_rows
        if self.zero is not None:
            assert not isinstance(layout, JoinedRows)  # `why_padded` excludes sharded runs
            nll = self.zero.nll(ids, sources, targets, chunk_rows, layout)
        else:
            nll = token_nll(self.model, ids, sources, targets, chunk_rows, layout)
        return self._sums(examples, list(nll.split(list(sizes))))

    def _sums(self, examples: Sequence[Encoded], pieces: list[Tensor]) -> PassLoss:
        """Sum up the losses of examples whose tokens have the losses `pieces`."""
        settings = self.settings.contrast
        text = choice = right = pieces[0].new_zeros(())
        for example in examples:
            if example.choice is None:
                text = text + pieces.pop(0).sum()
                continue
            count = len(example.choice.sizes())
            own, pieces = pieces[:count], pieces[count:]
            loss, credit = choice_loss(
                own,
                example.choice,
                temperature=settings.temperature,
                detach=settings.detach_reference,
            )
            choice, right = choice + loss, right + credit
        return PassLoss(text, choice, right)

    def exploded(self, part: Sequence[int], text: float, choice: float) -> bool:
        """Return whether the sums of a pass over `part` are not numbers or beyond any sound model.

        A text may have three times the uniform guess per token, an item the loss of preferences
        that differ by twice as much.
        """
        examples = [self.examples[i] for i in part]
        text_targets = sum(e.targets for e in examples if e.choice is None)
        spread = 2 * self.ceiling / self.settings.contrast.temperature
        most = sum(spread + math.log(e.choice.options) for e in examples if e.choice is not None)
        return not (text <= self.ceiling * text_targets and choice <= most)

    def noise_of(self, step: int, part: Sequence[int]) -> AbstractContextManager[None]:
        """Return the block in which the embeddings of `part` get the noise of `step`, if any."""
        if self.noise is None:
            return nullcontext()
        return self.noise.during(step, part, self.lengths)

    def probe(self, part: Sequence[int]) -> None:
        """Run one forward and backward pass over `part`.

        Leaves gradients behind. Out of memory is raised unchanged.
        """
        (self.loss(part).weighted(self.weights(part)) * self.scale).backward()
