"""The steps of a run, one after another, with metrics, evaluations and checkpoints between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kofinlaw import Progress, UserError
from kofinlaw.files import JsonlAppender
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.batching import StepPlan
from kofinlaw.trainer.guards import Saved
from kofinlaw.trainer.memory_use import (
    device_memory_access,
    memory_in_use,
    peak_memory,
    release_memory,
    reset_peak,
)
from kofinlaw.trainer.optimization import learning_rate, set_learning_rate
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sharding import full_tensor
from kofinlaw.trainer.state import RunState, metrics_line
from kofinlaw.trainer.step import Stepper
from kofinlaw.trainer.tracking import Tracker, numbers


class Loop:
    """Runs what is left of `plan` from where `state` stands.

    `save(name)` writes a checkpoint, called after its step when None; `metrics` is None on the
    processes that write nothing.
    """

    def __init__(
        self,
        settings: TrainSettings,
        stepper: Stepper,
        optimizer: Any,
        plan: StepPlan,
        state: RunState,
        *,
        held_out: Sequence[int],
        save: Callable[[str | None], None],
        metrics: JsonlAppender | None,
        trackers: Sequence[Tracker],
        tell: Callable[[str], None],
        progress: Progress,
    ) -> None:
        self.settings = settings
        self.stepper = stepper
        self.optimizer = optimizer
        self.plan = plan
        self.state = state
        self.held_out = held_out
        self.save = save
        self.metrics = metrics
        self.trackers = trackers
        self.tell = tell
        self.progress = progress
        self.release_above_bytes = 0

    def run(self, asked_to_stop: Callable[[], bool]) -> None:
        """Every step that is left; raises Saved after the step in which a stop was asked for."""
        reset_peak()
        while self.state.step < self.plan.steps:
            if self.state.out_of_patience(self.settings.patience):
                self.tell(f"stopped after step {self.state.step}: no better held-out loss")
                break
            stop = self._one_step(asked_to_stop())
            done = self.state.step == self.plan.steps
            if stop or done or self.state.step % self.settings.checkpoint_steps == 0:
                if self.metrics is not None:
                    self.metrics.sync()
                self.save(None)
            if stop and not done:
                raise Saved(self.state.step)

    def _one_step(self, stop: bool) -> bool:
        started = time.perf_counter()
        state = self.state
        result = self.stepper.gradients(state.step, self.plan.members(state.step), stop=stop)
        rate = learning_rate(state.step, self.plan.steps, self.settings)
        norm = self._update(rate)
        seconds = time.perf_counter() - started
        state.add(result, seconds)
        held_out = self._evaluate()
        self._maybe_release_heap()
        more = {"evaluation_loss": held_out, "learning_rate": rate, "gradient_norm": norm}
        more |= device_memory_access()
        line = metrics_line(state, result, seconds=seconds, more=more)
        self._record(line)
        left = self.plan.steps - state.step
        self.progress(
            "train",
            state.step,
            self.plan.steps,
            loss=round(result.loss, 4),
            tokens_per_second=line["tokens_per_second"],
            padding=line["padding"],
            memory_gib=line["memory_gib"],
            budget=result.budget,
            minutes_left=round(left * state.seconds / max(1, len(state.losses)) / 60, 1),
        )
        return result.stop

    def _record(self, line: Mapping[str, Any]) -> None:
        if self.metrics is not None:
            self.metrics.append(line)
        for tracker in self.trackers:
            tracker.log(self.state.step, numbers(line))

    def _maybe_release_heap(self) -> None:
        """On a processor, hand memory back when what lies between steps has grown by a quarter.

        Passes of ever new lengths leave holes in the heap that nobody returns by themselves.
        """
        self.state.peak = max(self.state.peak, peak_memory())
        if self.stepper.ranks.device.type != "cuda" and memory_in_use() > self.release_above_bytes:
            if self.release_above_bytes:
                release_memory()
            self.release_above_bytes = int(1.25 * memory_in_use())

    def _update(self, rate: float) -> float:
        import torch

        zero = self.stepper.zero
        set_learning_rate(self.optimizer, rate)
        if zero is not None:
            norm = zero.update()
        else:
            parameters = [p for _, p in trainable(self.stepper.model)]
            most = self.settings.max_gradient_norm or math.inf
            norm = float(full_tensor(torch.nn.utils.clip_grad_norm_(parameters, most)))
        if not math.isfinite(norm):
            members = self.plan.members(self.state.step)
            raise UserError(
                "a gradient is not a number; the step's examples: "
                + ", ".join(self.stepper.examples[i].id for i in members),
                where=f"train, step {self.state.step + 1}",
                remedy="lower learning_rate, or use dtype: bfloat16",
            )
        if zero is None:
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        return norm

    def _evaluate(self) -> float | None:
        last = self.state.step == self.plan.steps
        if not self.held_out or (self.state.step % self.settings.evaluation_steps and not last):
            return None
        loss = self.stepper.evaluate(self.held_out)
        self.state.evaluations.append([self.state.step, loss])
        best = self.state.best()
        if best is not None and best[0] == self.state.step:
            self.save("best")
        return loss
