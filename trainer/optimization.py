"""The optimizer and the learning rate of each step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kofinlaw import UserError
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.settings import TrainSettings

if TYPE_CHECKING:
    from torch.nn import Module


def learning_rate(step: int, steps: int, settings: TrainSettings) -> float:
    """The rate of `step` (from 0) of `steps`: a linear warm-up, then the schedule's fall.

    cosine falls to a tenth of the peak, linear to zero after the last step.
    """
    peak = settings.learning_rate
    warmup = math.ceil(settings.warmup_share * steps)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if settings.schedule == "constant":
        return peak
    done = (step - warmup) / max(1, steps - warmup)
    if settings.schedule == "linear":
        return peak * (1 - done)
    return peak * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def make_optimizer(model: Module, settings: TrainSettings) -> Any:
    """AdamW over the adapter, its B matrices in a group of their own (`ratio` in the group).

    Raises UserError for an 8-bit optimizer without CUDA.
    """
    import torch

    a = [p for name, p in trainable(model) if "lora_B" not in name]
    b = [p for name, p in trainable(model) if "lora_B" in name]
    groups = [
        {"params": a, "ratio": 1.0},
        {"params": b, "ratio": settings.learning_rate_ratio_b},
    ]
    rates: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, **rates)
    if not torch.cuda.is_available():
        raise UserError(
            f"{settings.optimizer} needs CUDA", where="train.optimizer", remedy="use adamw"
        )
    import bitsandbytes

    paged = settings.optimizer == "paged_adamw_8bit"
    kind = bitsandbytes.optim.PagedAdamW8bit if paged else bitsandbytes.optim.AdamW8bit
    return kind(groups, **rates)


def set_learning_rate(optimizer: Any, rate: float) -> None:
    """Give every group its rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["ratio"]
