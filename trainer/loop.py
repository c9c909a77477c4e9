"""Run the steps of a run, with metrics, evaluations and checkpoints between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch.optim import Optimizer

from kofinlaw import Progress, UserError
from kofinlaw.trainer.batching import StepPlan
from kofinlaw.trainer.device.kept_layers import kept_layers
from kofinlaw.trainer.guards import Saved
from kofinlaw.trainer.memory_use import (
    device_memory_access,
    memory_in_use,
    peak_memory,
    release_memory,
    reset_peak,
)
from kofinlaw.trainer.optimization import clip_gradients, learning_rate, set_learning_rate
from kofinlaw.trainer.run_checkpoints import RunCheckpoints
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.state import RunState, metrics_line
from kofinlaw.trainer.step import Stepper
from kofinlaw.trainer.token_budget import TokenBudget
from kofinlaw.trainer.tracking import MetricsLog
from kofinlaw.trainer.zero import Zero

__all__ = ["Loop"]


@dataclass(kw_only=True)
class Loop:
    """Runs the steps of `plan` that `state` has not counted yet.

    `optimizer` is ZeRO's engine or a plain optimizer. `held_out` are the indices of the examples
    to evaluate. `release_above_bytes` is the memory in use above which free memory is returned.
    """

    settings: TrainSettings
    stepper: Stepper
    optimizer: Optimizer | Zero
    plan: StepPlan
    state: RunState
    held_out: Sequence[int]
    budget: TokenBudget
    checkpoints: RunCheckpoints
    metrics: MetricsLog
    log_event: Callable[[str], None]
    progress: Progress
    release_above_bytes: int = field(default=0, init=False)

    def run(self, stop_requested: Callable[[], bool]) -> None:
        """Run the remaining steps; raises Saved after the step in which a stop was requested."""
        reset_peak()
        while self.state.step < self.plan.steps:
            if self.state.out_of_patience(self.settings.patience):
                self.log_event(f"stopped after step {self.state.step}: no better held-out loss")
                break
            stop = self._one_step(stop_requested())
            done = self.state.step == self.plan.steps
            if stop or done or self.state.step % self.settings.checkpoint_steps == 0:
                self.metrics.sync()
                self._save(None)
            if stop and not done:
                raise Saved(self.state.step)

    def _one_step(self, stop: bool) -> bool:
        """Run one step; return whether any process asked to stop."""
        started = time.perf_counter()
        state = self.state
        result = self.stepper.gradients(state.step, self.plan.members(state.step), stop=stop)
        rate = learning_rate(state.step, self.plan.steps, self.settings)
        norm = self._update(rate)
        seconds = time.perf_counter() - started
        state.add(result, seconds)
        held_out, held_out_accuracy = self._evaluate()
        self._maybe_release_heap()
        more = {"evaluation_loss": held_out, "evaluation_accuracy": held_out_accuracy}
        more |= {"learning_rate": rate, "gradient_norm": norm}
        more |= device_memory_access()
        line = metrics_line(state, result, seconds=seconds, more=more)
        self.metrics.record(state.step, line)
        left = self.plan.steps - state.step
        right = {} if result.accuracy is None else {"accuracy": round(result.accuracy, 3)}
        self.progress(
            "train",
            state.step,
            self.plan.steps,
            loss=round(result.loss, 4),
            **right,
            tokens_per_second=line["tokens_per_second"],
            padding=line["padding"],
            memory_gib=line["memory_gib"],
            budget=result.budget,
            minutes_left=round(left * state.seconds / max(1, len(state.losses)) / 60, 1),
        )
        return result.stop

    def _maybe_release_heap(self) -> None:
        """Without a GPU, return free memory when the memory between steps has grown by a quarter.

        Passes of changing lengths leave holes in the heap that are not returned otherwise.
        """
        self.state.peak = max(self.state.peak, peak_memory())
        on_cpu = self.stepper.ranks.device.type != "cuda"
        if on_cpu and memory_in_use() > self.release_above_bytes:
            if self.release_above_bytes:
                release_memory()
            self.release_above_bytes = int(1.25 * memory_in_use())

    def _update(self, rate: float) -> float:
        """Clip the gradients and update the parameters; return the norm of the gradients."""
        set_learning_rate(self.optimizer, rate)
        if isinstance(self.optimizer, Zero):
            norm = self.optimizer.update()
            self._check_norm(norm)
            return norm
        norm = clip_gradients(self.stepper.passes.model, self.settings)
        self._check_norm(norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def _check_norm(self, norm: float) -> None:
        if not math.isfinite(norm):
            members = self.plan.members(self.state.step)
            raise UserError(
                "a gradient is not a number; the step's examples: "
                + ", ".join(self.stepper.passes.examples[i].id for i in members),
                where=f"train, step {self.state.step + 1}",
                remedy="lower learning_rate, or use dtype: bfloat16",
            )

    def _evaluate(self) -> tuple[float | None, float | None]:
        """Return held-out loss and accuracy if they are due, and save the weights of the best."""
        last = self.state.step == self.plan.steps
        if not self.held_out or (self.state.step % self.settings.evaluation_steps and not last):
            return None, None
        found = self.stepper.evaluate(self.held_out)
        self.state.add_evaluation(found)
        best = self.state.best()
        if best is not None and best[0] == self.state.step:
            self._save("best")
        return found.loss, found.accuracy

    def _save(self, name: str | None) -> None:
        self.checkpoints.save(
            self.optimizer,
            name,
            state=self.state,
            steps=self.plan.steps,
            budget=self.budget.to_record(
                self.stepper.budget, kept_layers(self.stepper.passes.model)
            ),
        )
