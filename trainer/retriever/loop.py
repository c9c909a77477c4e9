"""Make the optimizer steps of an embedder or a reranker; a killed training continues exactly.

The random state of a step comes from the seed and the step's number, and a checkpoint holds the
weights and the optimizer's state.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kofinlaw import Progress, UserError
from kofinlaw.trainer.retriever import checkpoints

__all__ = ["WARMUP", "Loop", "LoopResult", "run_loop"]

WARMUP = 0.1  # share of the steps in which the learning rate rises


@dataclass(frozen=True)
class Loop:
    """What decides the steps of a training.

    Attributes:
        phase: Name that the progress shows.
        section: The recipe's section that holds these settings, for messages.
        steps: Optimizer steps.
        learning_rate: The highest learning rate.
        seed: Seed of the random state of each step.
        checkpoint_steps: Steps between two checkpoints.
        budget_minutes: End after so many minutes, earlier attempts included; None: no limit.
        checkpoints: Folder of the checkpoints.
        fingerprint: Hash of everything else that decides the weights.
    """

    phase: str
    section: str
    steps: int
    learning_rate: float
    seed: int
    checkpoint_steps: int
    budget_minutes: float | None
    checkpoints: Path
    fingerprint: str


@dataclass
class LoopResult:
    """The losses of all steps, and the seconds that they took."""

    losses: list[float]
    seconds: float


def run_loop(
    loop: Loop,
    weights: Mapping[str, Tensor],
    loss_of: Callable[[int], Tensor],
    progress: Progress,
) -> LoopResult:
    """Make the steps that no checkpoint holds, with AdamW; `weights` are changed in place.

    `loss_of` receives the number of a step, from 0, and returns its loss. The last step always has
    a checkpoint.

    Raises UserError if a loss is not a number.
    """
    trained = list(weights.values())
    optimizer = torch.optim.AdamW(trained, lr=loop.learning_rate, weight_decay=0.01)
    done = LoopResult([], 0.0)
    saved = checkpoints.newest(loop.checkpoints, loop.fingerprint)
    if saved is not None:
        with torch.no_grad():
            for name, weight in weights.items():
                weight.copy_(saved.weights[name])
        optimizer.load_state_dict(saved.optimizer)
        done = LoopResult(saved.losses, saved.seconds)
    limit = (loop.budget_minutes or math.inf) * 60
    started = time.monotonic() - done.seconds
    for step in range(len(done.losses), loop.steps):
        if done.losses and time.monotonic() - started >= limit:
            break
        for group in optimizer.param_groups:
            group["lr"] = loop.learning_rate * _rate(step, loop.steps)
        torch.manual_seed((loop.seed * 1_000_003 + step) % 2**63)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(step)
        loss.backward()
        done.losses.append(_finite(float(loss.detach()), step, loop.section))
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        done.seconds = time.monotonic() - started
        progress(loop.phase, step + 1, loop.steps, loss=round(done.losses[-1], 3))
        if (step + 1) % loop.checkpoint_steps == 0:
            _save(loop, done, weights, optimizer)
    if saved is None or saved.step < len(done.losses):
        _save(loop, done, weights, optimizer)
    return done


def _save(
    loop: Loop,
    done: LoopResult,
    weights: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    checkpoints.save(
        loop.checkpoints,
        step=len(done.losses),
        losses=done.losses,
        seconds=done.seconds,
        weights=weights,
        optimizer=optimizer.state_dict(),
        fingerprint=loop.fingerprint,
    )


def _finite(value: float, step: int, section: str) -> float:
    if not math.isfinite(value):
        raise UserError(
            f"the loss of step {step + 1} is {value}",
            where=f"{section}.learning_rate",
            remedy=f"lower the learning rate, or set {section}.dtype to float32",
        )
    return value


def _rate(step: int, steps: int) -> float:
    """Return the share of the highest learning rate: a linear rise, then a linear fall."""
    rise = max(1, round(WARMUP * steps))
    return min((step + 1) / rise, (steps - step) / max(steps - rise, 1))
