"""One exact step: the gradients of a fixed set of examples, however memory makes us cut it.

The loss of a step is the sum over its supervised tokens divided by their number over all
micro-batches and all processes. Out of memory halves the budget and the step is done again from
its start with the same random state, so nothing is skipped or counted twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from kofinlaw import UserError
from kofinlaw.models.memory.heap_limit import limit_heap_growth
from kofinlaw.models.memory.out_of_memory import is_out_of_memory
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.batching import pad_micro_batch, split_micro_batches, split_over_ranks
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.loss import causal_model, supervised_nll
from kofinlaw.trainer.memory_use import (
    OverLimitError,
    memory_in_use,
    release_memory,
)
from kofinlaw.trainer.noise import EmbeddingNoise
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.step_outcome import Failure, StepResult, bad_loss
from kofinlaw.trainer.zero import Zero
from kofinlaw.units import GIB

if TYPE_CHECKING:
    from torch import Tensor

# float16 gradients below 6e-8 vanish; the loss is scaled up and the float32 sums scaled back.
FLOAT16_SCALE = 1024.0


class Stepper:
    """Runs the passes of a step and owns the one thing that changes: the token budget."""

    def __init__(
        self,
        model: Any,
        examples: Sequence[Encoded],
        ranks: Ranks,
        *,
        seed: int,
        budget: int,
        chunk_rows: int,
        limit: int | None,
        tell: Callable[[str], None],
        on_micro_batch: Callable[[int, int], None] | None = None,
        noise: EmbeddingNoise | None = None,
        remedy: Callable[[int | None, int | None, int], str] = lambda over, taken, longest: "",
        exhausted: Callable[[int, str], NoReturn] | None = None,
    ) -> None:
        self.model = model
        self.examples = examples
        self.lengths = [len(e) for e in examples]
        self.ranks = ranks
        self.seed = seed
        self.budget = budget
        self.chunk_rows = chunk_rows
        self.limit = limit
        self.tell = tell
        self.on_micro_batch = on_micro_batch
        self.noise = noise
        self.remedy = remedy
        self.exhausted = exhausted
        self.zero: Zero | None = None  # set once it holds the model
        base: Any = causal_model(model)
        self.scale = FLOAT16_SCALE if str(base.dtype) == "torch.float16" else 1.0
        if ranks.zero:
            self.scale = float(ranks.count)  # DeepSpeed averages over the processes
        if ranks.device.type == "cpu":
            limit_heap_growth(model)
        self.ceiling = 3 * math.log(base.config.get_text_config().vocab_size)

    def gradients(self, step: int, members: Sequence[int], *, stop: bool = False) -> StepResult:
        """Leave the step's gradient, summed over the processes, in every trained parameter.

        `members` are the step's examples over all processes; `stop` is this process's wish to end
        after the step, and comes back as any process's. Raises UserError where one example alone
        does not fit, and where the loss is not a number or has exploded (naming the examples).
        """
        mine = split_over_ranks(members, self.lengths, self.ranks.count)[self.ranks.rank]
        supervised = sum(self.examples[i].targets for i in members)
        tokens = sum(self.lengths[i] for i in members)
        tries_alone = 0
        while True:
            cuts = split_micro_batches(mine, self.lengths, self.budget)
            idle = self._idle(cuts, members)
            nll, failure = self._passes(step, cuts, supervised, idle)
            agreed = self.ranks.all_reduce_max([*failure.flags(), float(stop)])
            failed, padded, single, bad, any_stop = agreed
            if bad:
                raise bad_loss(failure, step)
            if not failed:
                break
            if single:
                tries_alone += 1
            self._shrink(step, int(padded), failure, give_up=tries_alone > 1)
        self._sum_gradients()
        sums = self.ranks.all_reduce_sum([nll, sum(self._padded(c) for c in cuts), len(cuts)])
        return StepResult(
            loss=sums[0] / supervised,
            tokens=tokens,
            padded=int(sums[1]),
            supervised=supervised,
            micro_batches=int(sums[2]),
            budget=self.budget,
            stop=bool(any_stop),
        )

    def evaluate(self, members: Sequence[int]) -> float:
        """Mean loss in nats a supervised token, without gradients; no logits are kept."""
        import torch

        mine = split_over_ranks(members, self.lengths, self.ranks.count)[self.ranks.rank]
        total = 0.0
        self.model.eval()
        try:
            with torch.no_grad():
                cuts = split_micro_batches(mine, self.lengths, self.budget)
                for part in cuts:
                    total += float(self._nll(part))
                for part in self._idle(cuts, members):
                    self._nll(part)
        finally:
            self.model.train()
        supervised = sum(self.examples[i].targets for i in members)
        return self.ranks.all_reduce_sum([total])[0] / supervised

    def trial(self, part: Sequence[int]) -> float:
        """One forward and backward pass over `part`, for the probe; returns its seconds.

        Leaves gradients behind. Out of memory comes out as it is.
        """
        start = time.perf_counter()
        (self._nll(part) * (self.scale / sum(self.examples[i].targets for i in part))).backward()
        return time.perf_counter() - start

    def _idle(self, cuts: Sequence[Any], members: Sequence[int]) -> list[list[int]]:
        """Passes that count for nothing, where all processes must run as many (FSDP, ZeRO)."""
        if not self.ranks.sharded:
            return []
        most = int(self.ranks.all_reduce_max([len(cuts)])[0])
        return [[min(members, key=lambda i: self.lengths[i])]] * (most - len(cuts))

    def _passes(
        self,
        step: int,
        cuts: Sequence[Sequence[int]],
        supervised: int,
        idle: Sequence[Sequence[int]] = (),
    ) -> tuple[float, Failure]:
        self._seed(step)
        self._forget_gradients()
        nll = 0.0
        found = Failure()
        for number, part in enumerate([*cuts, *idle]):
            weight = float(number < len(cuts))
            try:
                if self.on_micro_batch is not None:
                    self.on_micro_batch(step, number)
                with self._noise_of(step, part):
                    loss = self._nll(part)
                value = float(loss.detach())
                if not value <= self.ceiling * sum(self.examples[i].targets for i in part):
                    found = Failure(bad=True, examples=self._offenders(part))
                    if not self.ranks.sharded:  # else the others wait for the passes that are left
                        return nll, found
                self._check_limit()
                (loss * (weight * self.scale / supervised)).backward()
                nll += weight * value
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                text = (str(error).strip() or type(error).__name__).splitlines()[0]
                failure = Failure(text, self._padded(part), len(part) == 1, error=error)
                if isinstance(error, OverLimitError):
                    failure.over = memory_in_use() - (self.limit or 0)
                if self.ranks.sharded and self.exhausted is not None:
                    if self.budget <= failure.padded and failure.single:
                        self._shrink(step, failure.padded, failure, give_up=True)
                    self.exhausted(self.budget, text)
                # the traceback's frames hold the failed pass's tensors
                error.__traceback__ = None
                return nll, failure
        return nll, found

    def _check_limit(self) -> None:
        # after the forward pass, when a pass holds most
        used = memory_in_use() if self.limit is not None else 0
        if self.limit is not None and used > self.limit:
            over = (used - self.limit) / GIB
            raise OverLimitError(f"{over:.2f} GiB over the limit of {self.limit / GIB:.2f} GiB")

    def _noise_of(self, step: int, part: Sequence[int]) -> AbstractContextManager[None]:
        if self.noise is None:
            return nullcontext()
        return self.noise.during(step, part, self.lengths)

    def _nll(self, part: Sequence[int]) -> Tensor:
        import torch

        rows = [self.examples[i] for i in part]
        arrays = pad_micro_batch([e.tokens for e in rows], [e.supervised for e in rows])
        ids, positions, targets = (torch.from_numpy(a).to(self.ranks.device) for a in arrays)
        if self.zero is not None:
            return self.zero.nll(ids, positions, targets, self.chunk_rows)
        return supervised_nll(self.model, ids, positions, targets, self.chunk_rows)

    def _padded(self, part: Sequence[int]) -> int:
        return max(self.lengths[i] for i in part) * len(part)

    def _shrink(self, step: int, padded: int, failure: Failure, *, give_up: bool) -> None:
        why = failure.text or "another process ran out of memory"
        if give_up:
            raise UserError(
                f"one example of {padded} tokens does not fit into memory: {why}",
                where=f"train, step {step + 1}",
                remedy=self.remedy(failure.over, None, padded),
            ) from failure.error
        smaller = max(1, min(self.budget, padded) // 2)
        self.tell(f"step {step + 1}: out of memory ({why}); budget {self.budget} → {smaller}")
        self.budget = smaller
        release_memory()

    def _sum_gradients(self) -> None:
        import torch

        if self.zero is not None:  # it has them
            return
        gradients = []
        for _, parameter in trainable(self.model):
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        if not self.ranks.sharded:  # else the backward passes have summed them
            self.ranks.sum_gradients_(gradients)
        if self.scale != 1.0:
            for gradient in gradients:
                gradient.div_(self.scale)

    def _forget_gradients(self) -> None:
        for _, parameter in trainable(self.model):
            parameter.grad = None

    def _seed(self, step: int) -> None:
        import torch

        state = np.random.SeedSequence([self.seed, step, self.ranks.rank]).generate_state(1)
        torch.manual_seed(int(state[0]))

    def _offenders(self, part: Sequence[int]) -> list[str]:
        """Ids of the examples whose own loss is not a number or explodes; all where none is."""
        import torch

        if self.ranks.sharded:  # one process cannot look on its own
            return [self.examples[i].id for i in part]
        with torch.no_grad():
            found = [
                self.examples[i].id
                for i in part
                if not float(self._nll([i])) <= self.ceiling * self.examples[i].targets
            ]
        return found or [self.examples[i].id for i in part]
