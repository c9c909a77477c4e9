"""How a step ended: with its counts, without enough memory, or with a loss that is no number."""

from __future__ import annotations

from dataclasses import dataclass, field

from kofinlaw import UserError


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step's passes gave: mean loss in nats a supervised token, and counts over all ranks.

    `tokens` are real, `padded` include padding; `budget` is what the step ended with.
    """

    loss: float
    tokens: int
    padded: int
    supervised: int
    micro_batches: int
    budget: int
    stop: bool


@dataclass
class Failure:
    """Why this process could not finish its passes.

    `padded` tokens were in the pass that failed, `single`: of one example; `over` are bytes over
    the limit where they are known; `bad`: the loss of `examples` is not a number or has exploded.
    """

    text: str = ""
    padded: int = 0
    single: bool = False
    examples: list[str] = field(default_factory=list)
    bad: bool = False
    over: int | None = None
    error: BaseException | None = None

    def flags(self) -> list[float]:
        """What the processes must agree on: failed, padded tokens, single, bad."""
        return [float(self.error is not None), float(self.padded), self.single, self.bad]


def bad_loss(failure: Failure, step: int) -> UserError:
    """The error that names the examples, or says that they are another process's."""
    ids = ", ".join(failure.examples) or "on another process"
    return UserError(
        f"the loss is not a number or has exploded; examples: {ids}",
        where=f"train, step {step + 1}",
        remedy="look at these examples; lower learning_rate, or use dtype: bfloat16",
    )
