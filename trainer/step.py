"""Run one exact step: the gradient of a fixed set of examples, however memory splits it.

The loss of a step is the sum over its supervised tokens, divided by their number over all
micro-batches and all processes; items to choose from add the sum over items (`LossWeights`). All
options of an item are in one pass. Out of memory halves the number of layers that keep their
activations, then the budget. The step is then repeated from its start with the same random state,
so no example is skipped or counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kofinlaw import UserError
from kofinlaw.models.out_of_memory import is_out_of_memory
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.batching import split_over_ranks
from kofinlaw.trainer.device.copies import read_at_once
from kofinlaw.trainer.device.kept_layers import keep_layers, kept_layers
from kofinlaw.trainer.memory_use import OverLimitError, memory_in_use, release_memory
from kofinlaw.trainer.passes import LossWeights, Passes
from kofinlaw.trainer.remedies import remedies
from kofinlaw.trainer.sharding import exit_out_of_memory
from kofinlaw.units import GIB

__all__ = ["Evaluation", "Failure", "StepResult", "Stepper", "bad_loss"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean loss over held-out examples, and the share of their items that are right.

    `loss` is that of a step. `accuracy` is None without items.
    """

    loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class StepResult:
    """The figures of a step over all processes.

    `loss` is what was minimised: without items, nats per supervised token. `text_loss` is the mean
    over the supervised tokens of the texts, `choice_loss` the mean over the `choices` (items),
    `accuracy` the share of these that were right before the update; each is None if there are
    none. `tokens` are real, `padded` include padding. `budget` is the budget at the end of the
    step. `stop` is whether any process asked to end after it.
    """

    loss: float
    text_loss: float | None
    choice_loss: float | None
    accuracy: float | None
    choices: int
    tokens: int
    padded: int
    supervised: int
    micro_batches: int
    budget: int
    stop: bool


@dataclass
class Failure:
    """Why this process could not finish its passes; the defaults mean that it could.

    Args:
        reason: the message of the error.
        padded: tokens of the pass that failed.
        single: whether that pass held a single example.
        examples: ids of the examples with a bad loss.
        bad: whether the loss of `examples` is not a number or has exploded.
        over_bytes: bytes over the limit, if known.
        error: the error that means out of memory.
    """

    reason: str = ""
    padded: int = 0
    single: bool = False
    examples: list[str] = field(default_factory=list)
    bad: bool = False
    over_bytes: int | None = None
    error: BaseException | None = None

    def flags(self) -> list[float]:
        """Return what the processes must agree on: failed, padded tokens, single, bad."""
        return [float(self.error is not None), float(self.padded), self.single, self.bad]


def bad_loss(failure: Failure, step: int) -> UserError:
    """Return the error that names the examples with a bad loss."""
    ids = ", ".join(failure.examples) or "on another process"
    return UserError(
        f"the loss is not a number or has exploded; examples: {ids}",
        where=f"train, step {step + 1}",
        remedy="check these examples; lower learning_rate, or use dtype: bfloat16",
    )


class Stepper:
    """Computes the gradients of steps; its only state is the token budget.

    Args:
        passes: the model with its examples.
        seed: the random state of a step is derived from it and the number of the step.
        budget: padded tokens per pass; halved when a pass runs out of memory.
        log_event: called with a message when the budget changes.
        limit_bytes: memory that may be in use after a forward pass; None: not checked.
        on_micro_batch: called with step and number before each pass.
        checkpoint_root: where a sharded run leaves half the budget before it ends by out of
            memory; None: out of memory is handled as in a run that is not sharded.
    """

    def __init__(
        self,
        passes: Passes,
        *,
        seed: int,
        budget: int,
        log_event: Callable[[str], None],
        limit_bytes: int | None = None,
        on_micro_batch: Callable[[int, int], None] | None = None,
        checkpoint_root: Path | None = None,
    ) -> None:
        self.passes = passes
        self.ranks = passes.ranks
        self.seed = seed
        self.budget = budget
        self.log_event = log_event
        self.limit_bytes = limit_bytes
        self.on_micro_batch = on_micro_batch
        self.checkpoint_root = checkpoint_root

    def gradients(self, step: int, members: Sequence[int], *, stop: bool = False) -> StepResult:
        """Leave the gradient of `step`, summed over the processes, in every trained parameter.

        `members` are the examples of the step over all processes. `stop` is whether this process
        asks to end after the step. Raises UserError if one example alone does not fit, and if the
        loss is not a number or has exploded (the message names the examples).
        """
        passes = self.passes
        mine = split_over_ranks(members, passes.lengths, self.ranks.world_size)[self.ranks.rank]
        weights = passes.weights(members)
        failed_alone = 0
        while True:
            micro_batches = self._split(mine)
            idle = self._idle_passes(micro_batches, members)
            found, failure = self._run_passes(step, micro_batches, weights, idle)
            agreed = self.ranks.all_reduce_max([*failure.flags(), float(stop)])
            failed, padded, single, bad, any_stop = agreed
            if bad:
                raise bad_loss(failure, step)
            if not failed:
                break
            if self._keep_fewer_layers(step, failure):
                continue
            if single:
                failed_alone += 1
            self._shrink(step, int(padded), failure, give_up=failed_alone > 1)
        self._sum_gradients()
        padded_tokens = sum(passes.padded(part) for part in micro_batches)
        *sums, padded, passes_run = self.ranks.all_reduce_sum(
            [*found, padded_tokens, len(micro_batches)]
        )
        choices = passes.choices(members)
        texts = passes.targets([i for i in members if passes.examples[i].choice is None])
        return StepResult(
            loss=weights.text * sums[0] + weights.choice * sums[1],
            text_loss=sums[0] / texts if texts else None,
            choice_loss=sums[1] / choices if choices else None,
            accuracy=sums[2] / choices if choices else None,
            choices=choices,
            tokens=passes.tokens(members),
            padded=int(padded),
            supervised=passes.targets(members),
            micro_batches=int(passes_run),
            budget=self.budget,
            stop=bool(any_stop),
        )

    def evaluate(self, members: Sequence[int]) -> Evaluation:
        """Return the mean loss of `members` and the accuracy of their items, without gradients."""
        passes = self.passes
        mine = split_over_ranks(members, passes.lengths, self.ranks.world_size)[self.ranks.rank]
        found = [0.0, 0.0, 0.0]
        passes.model.eval()
        try:
            with torch.no_grad():
                micro_batches = self._split(mine)
                idle = self._idle_passes(micro_batches, members)  # before the passes communicate
                sums = [passes.loss(part).sums() for part in micro_batches]
                for part in idle:
                    passes.loss(part)
            for values in read_at_once(sums):
                found = [a + b for a, b in zip(found, values, strict=True)]
        finally:
            passes.model.train()
        text, choice, right = self.ranks.all_reduce_sum(found)
        weights, choices = passes.weights(members), passes.choices(members)
        return Evaluation(
            weights.text * text + weights.choice * choice, right / choices if choices else None
        )

    def _split(self, members: Sequence[int]) -> list[list[int]]:
        """Split `members` into micro-batches under the budget."""
        return self.passes.split(members, self.budget)

    def _idle_passes(
        self, micro_batches: Sequence[Sequence[int]], members: Sequence[int]
    ) -> list[list[int]]:
        """Return passes with weight 0, so that all processes run equally many (FSDP, ZeRO)."""
        if not self.ranks.sharded:
            return []
        most = int(self.ranks.all_reduce_max([len(micro_batches)])[0])
        shortest = min(members, key=lambda i: self.passes.lengths[i])
        return [[shortest]] * (most - len(micro_batches))

    def _run_passes(
        self,
        step: int,
        micro_batches: Sequence[Sequence[int]],
        weights: LossWeights,
        idle: Sequence[Sequence[int]],
    ) -> tuple[list[float], Failure]:
        """Run all passes; return the sums of `PassLoss`, and the failure of the passes if any.

        The losses are read once, after the last pass: a look at each would let a card wait between
        a forward and a backward pass.
        """
        passes = self.passes
        self._seed(step)
        self._drop_gradients()
        sums: list[Tensor] = []
        parts = [*micro_batches, *idle]
        for number, part in enumerate(parts):
            weight = float(number < len(micro_batches))
            try:
                if self.on_micro_batch is not None:
                    self.on_micro_batch(step, number)
                with passes.noise_of(step, part):
                    loss = passes.loss(part)
                self._check_limit()
                (loss.weighted(weights) * (weight * passes.scale)).backward()
                sums.append(loss.sums())
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                failure = self._out_of_memory(step, part, error)
                # The frames of the traceback hold the tensors of the failed pass.
                error.__traceback__ = None
                return [0.0, 0.0, 0.0], failure
        total = [0.0, 0.0, 0.0]
        for number, values in enumerate(read_at_once(sums)):
            if passes.exploded(parts[number], values[0], values[1]):
                examples = self._examples_with_bad_loss(parts[number])
                return total, Failure(bad=True, examples=examples)
            if number < len(micro_batches):
                total = [a + b for a, b in zip(total, values, strict=True)]
        return total, Failure()

    def _out_of_memory(self, step: int, part: Sequence[int], error: Exception) -> Failure:
        """Describe out of memory in a pass over `part`; a sharded run ends the process here."""
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        failure = Failure(reason, self.passes.padded(part), len(part) == 1, error=error)
        if isinstance(error, OverLimitError):
            failure.over_bytes = memory_in_use() - (self.limit_bytes or 0)
        if self.ranks.sharded and self.checkpoint_root is not None:
            if self.budget <= failure.padded and failure.single:
                self._shrink(step, failure.padded, failure, give_up=True)
            exit_out_of_memory(self.checkpoint_root, self.budget, reason)
        return failure

    def _check_limit(self) -> None:
        """Raise OverLimitError if the limit is exceeded; after the forward pass most is in use."""
        used = memory_in_use() if self.limit_bytes is not None else 0
        if self.limit_bytes is not None and used > self.limit_bytes:
            over, limit = (used - self.limit_bytes) / GIB, self.limit_bytes / GIB
            raise OverLimitError(f"{over:.2f} GiB over the limit of {limit:.2f} GiB")

    def _keep_fewer_layers(self, step: int, failure: Failure) -> bool:
        """Halve the number of layers that keep their activations; False if none does."""
        kept = kept_layers(self.passes.model)
        if not kept:
            return False
        why = failure.reason or "another process ran out of memory"
        self.log_event(f"step {step + 1}: out of memory ({why}); kept layers {kept} → {kept // 2}")
        keep_layers(self.passes.model, kept // 2)
        release_memory()
        return True

    def _shrink(self, step: int, padded: int, failure: Failure, *, give_up: bool) -> None:
        """Halve the budget; raises UserError with remedies if one example alone does not fit."""
        why = failure.reason or "another process ran out of memory"
        if give_up:
            raise UserError(
                f"one example of {padded} tokens does not fit into memory: {why}",
                where=f"train, step {step + 1}",
                remedy=remedies(
                    self.passes.model,
                    self.passes.settings,
                    over=failure.over_bytes,
                    pass_bytes=None,
                    longest=padded,
                ),
            ) from failure.error
        smaller = max(1, min(self.budget, padded) // 2)
        self.log_event(f"step {step + 1}: out of memory ({why}); budget {self.budget} → {smaller}")
        self.budget = smaller
        release_memory()

    def _sum_gradients(self) -> None:
        if self.passes.zero is not None:  # DeepSpeed holds the gradients
            return
        gradients = []
        for _, parameter in trainable(self.passes.model):
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        if not self.ranks.sharded:  # else the backward passes have summed them
            self.ranks.sum_gradients_(gradients)
        if self.passes.scale != 1.0:
            for gradient in gradients:
                gradient.div_(self.passes.scale)

    def _drop_gradients(self) -> None:
        for _, parameter in trainable(self.passes.model):
            parameter.grad = None

    def _seed(self, step: int) -> None:
        state = np.random.SeedSequence([self.seed, step, self.ranks.rank]).generate_state(1)
        torch.manual_seed(int(state[0]))

    def _examples_with_bad_loss(self, part: Sequence[int]) -> list[str]:
        """Return the ids of the examples whose own loss is bad; all ids if none is."""
        examples = self.passes.examples
        if self.ranks.sharded:  # one process cannot run a pass alone
            return [examples[i].id for i in part]
        with torch.no_grad():
            found = [
                examples[i].id
                for i in part
                if self.passes.exploded([i], *self.passes.loss([i]).sums().tolist()[:2])
            ]
        return found or [examples[i].id for i in part]
