"""Count what a run has done, and format the lines of metrics.jsonl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from kofinlaw.files import readable_lines, set_aside, write_jsonl
from kofinlaw.trainer.step import Evaluation, StepResult
from kofinlaw.units import GIB

__all__ = ["RunFigures", "RunState", "StateRecord", "cut_metrics", "metrics_line"]


class StateRecord(TypedDict):
    """The state of a run in `checkpoint.json`; the fields are those of `RunState`."""

    step: int
    tokens: int
    padded: int
    supervised: int
    seconds: float
    peak: int
    losses: list[float]
    evaluations: list[list[float]]
    evaluation_accuracies: list[float]
    choices: list[int]
    right: list[float]
    events: list[str]


class RunFigures(TypedDict):
    """The figures of the steps of a run; `TrainingResult` explains them."""

    steps: int
    tokens: int
    supervised_tokens: int
    padding: float
    loss_first: float
    loss_last: float
    choices: int
    choice_accuracy_first: float | None
    choice_accuracy_last: float | None
    evaluation_loss: float | None
    evaluation_accuracy: float | None
    best_step: int | None
    tokens_per_second: float
    train_seconds: float
    resumed_from: int | None
    out_of_memory: int


@dataclass
class RunState:
    """The content of a checkpoint in addition to tensors: counts, losses, evaluations and events.

    `tokens` are real, `padded` include padding. `evaluations` are pairs of step and mean held-out
    loss; `evaluation_accuracies` are the shares of held-out items that were right, one for each of
    them, empty without items. `choices` and `right` count the items of each step and the right
    ones. `seconds` count only the steps. `peak` is the maximum of the memory in use, in bytes.
    """

    step: int = 0
    tokens: int = 0
    padded: int = 0
    supervised: int = 0
    seconds: float = 0.0
    peak: int = 0
    losses: list[float] = field(default_factory=list)
    evaluations: list[list[float]] = field(default_factory=list)
    evaluation_accuracies: list[float] = field(default_factory=list)
    choices: list[int] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
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
        self.choices.append(result.choices)
        self.right.append((result.accuracy or 0.0) * result.choices)

    def add_evaluation(self, found: Evaluation) -> None:
        """Count an evaluation after the current step."""
        self.evaluations.append([self.step, found.loss])
        if found.accuracy is not None:
            self.evaluation_accuracies.append(found.accuracy)

    def best(self) -> tuple[int, float] | None:
        """Return (step, loss) of the best evaluation, the earlier one of two equal ones."""
        if not self.evaluations:
            return None
        step, loss = min(self.evaluations, key=lambda e: (e[1], e[0]))
        return int(step), loss

    def out_of_patience(self, patience: int | None) -> bool:
        """Return whether `patience` evaluations have passed since the best one."""
        best = self.best()
        if patience is None or best is None:
            return False
        return sum(step > best[0] for step, _ in self.evaluations) >= patience

    def record(self) -> StateRecord:
        """Return the state as JSON values; `RunState(**record)` is the inverse."""
        return {
            "step": self.step,
            "tokens": self.tokens,
            "padded": self.padded,
            "supervised": self.supervised,
            "seconds": self.seconds,
            "peak": self.peak,
            "losses": self.losses,
            "evaluations": self.evaluations,
            "evaluation_accuracies": self.evaluation_accuracies,
            "choices": self.choices,
            "right": self.right,
            "events": self.events,
        }

    def figures(self) -> RunFigures:
        """Return counts and losses; `TrainingResult` explains the first and the last ones."""
        tenth = max(1, len(self.losses) // 10)
        last = self.losses[-tenth:]
        best = self.best()
        return {
            "steps": self.step,
            "tokens": self.tokens,
            "supervised_tokens": self.supervised,
            "padding": round(1 - self.tokens / self.padded, 4),
            "loss_first": round(self.losses[0], 6),
            "loss_last": round(sum(last) / len(last), 6),
            "choices": sum(self.choices),
            "choice_accuracy_first": self._accuracy(slice(tenth)),
            "choice_accuracy_last": self._accuracy(slice(-tenth, None)),
            "evaluation_loss": None if best is None else round(best[1], 6),
            "evaluation_accuracy": self._best_accuracy(),
            "best_step": None if best is None else best[0],
            "tokens_per_second": round(self.tokens / self.seconds, 1),
            "train_seconds": round(self.seconds, 1),
            "resumed_from": self.resumed_from,
            "out_of_memory": sum("out of memory" in event for event in self.events),
        }

    def _accuracy(self, steps: slice) -> float | None:
        """Return the share of the items of some steps that were right; None without items."""
        count = sum(self.choices[steps])
        return round(sum(self.right[steps]) / count, 4) if count else None

    def _best_accuracy(self) -> float | None:
        """Return the accuracy of the best evaluation; None without items or evaluations."""
        best = self.best()
        if best is None or not self.evaluation_accuracies:
            return None
        number = [step for step, _ in self.evaluations].index(best[0])
        return round(self.evaluation_accuracies[number], 4)


def metrics_line(
    state: RunState, result: StepResult, *, seconds: float, more: Mapping[str, float | None]
) -> dict[str, float | None]:
    """Return the line of `metrics.jsonl` for the step that was just counted.

    `more` are further figures, which follow the loss. `seconds` is the duration of the step.
    """
    return {
        "step": state.step,
        "loss": result.loss,
        "text_loss": result.text_loss,
        "choice_loss": result.choice_loss,
        "choice_accuracy": result.accuracy,
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


def cut_metrics(path: Path, step: int) -> int:
    """Drop the lines after `step`, whose steps will be repeated, and an incomplete last line.

    Returns how many other lines cannot be read; the file with them is set aside then.
    """
    kept, unreadable = readable_lines(path, _step_of)
    if path.exists():
        if unreadable:
            set_aside(path)
        write_jsonl(path, [line for line in kept if _step_of(line) <= step])
    return len(unreadable)


def _step_of(line: Mapping[str, object]) -> int:
    step = line["step"]
    if not isinstance(step, int):
        raise TypeError("step is not a number")
    return step
