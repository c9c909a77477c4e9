"""Where a run stands, and what it writes about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kofinlaw.files import write_jsonl
from kofinlaw.trainer.step import StepResult
from kofinlaw.units import GIB


@dataclass
class RunState:
    """What a checkpoint carries besides tensors: counts so far, losses, evaluations, events.

    `evaluations` are [step, mean held-out loss]; `seconds` are those of the steps alone; `peak`
    is the most bytes of memory held.
    """

    step: int = 0
    tokens: int = 0
    padded: int = 0
    supervised: int = 0
    seconds: float = 0.0
    peak: int = 0
    losses: list[float] = field(default_factory=list)
    evaluations: list[list[float]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    resumed_from: int | None = None

    def add(self, result: StepResult, seconds: float) -> None:
        """Count a step."""
        self.step += 1
        self.tokens += result.tokens
        self.padded += result.padded
        self.supervised += result.supervised
        self.seconds += seconds
        self.losses.append(result.loss)

    def best(self) -> tuple[int, float] | None:
        """(step, loss) of the best evaluation, the earlier of two equal ones."""
        if not self.evaluations:
            return None
        step, loss = min(self.evaluations, key=lambda e: (e[1], e[0]))
        return int(step), loss

    def out_of_patience(self, patience: int | None) -> bool:
        """Whether `patience` evaluations have passed since the best one."""
        best = self.best()
        if patience is None or best is None:
            return False
        return sum(step > best[0] for step, _ in self.evaluations) >= patience

    def record(self) -> dict[str, Any]:
        """The state as JSON values; `RunState(**record)` is the inverse."""
        return {key: value for key, value in vars(self).items() if key != "resumed_from"}

    def figures(self) -> dict[str, Any]:
        """The run's counts and losses for the stage's record; the last loss is a tenth's mean."""
        last = self.losses[-max(1, len(self.losses) // 10) :]
        best = self.best()
        return {
            "steps": self.step,
            "tokens": self.tokens,
            "supervised_tokens": self.supervised,
            "padding": round(1 - self.tokens / self.padded, 4),
            "loss_first": round(self.losses[0], 6),
            "loss_last": round(sum(last) / len(last), 6),
            "evaluation_loss": None if best is None else round(best[1], 6),
            "best_step": None if best is None else best[0],
            "tokens_per_second": round(self.tokens / self.seconds, 1),
            "train_seconds": round(self.seconds, 1),
            "resumed_from": self.resumed_from,
            "out_of_memory": sum("out of memory" in event for event in self.events),
        }


def metrics_line(
    state: RunState, result: StepResult, *, seconds: float, more: Mapping[str, Any]
) -> dict[str, Any]:
    """A line of `metrics.jsonl`: the step just counted, with `more` after its loss."""
    return {
        "step": state.step,
        "loss": result.loss,
        **more,
        "tokens": result.tokens,
        "supervised_tokens": result.supervised,
        "padding": round(1 - result.tokens / result.padded, 4),
        "micro_batches": result.micro_batches,
        "budget": result.budget,
        "seconds": round(seconds, 4),
        "tokens_per_second": round(result.tokens / seconds, 1),
        "memory_gib": round(state.peak / GIB, 3),
        "all_tokens": state.tokens,
    }


def cut_metrics(path: Path, step: int) -> None:
    """Drop the lines of steps that will be done again, and a torn one."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if value["step"] <= step:
            kept.append(value)
    write_jsonl(path, kept)
