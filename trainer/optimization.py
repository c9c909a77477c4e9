"""Make the optimizer and compute the learning rate of each step."""

from __future__ import annotations

import math

import torch
from torch.nn import Module
from torch.optim import Optimizer

from kofinlaw import UserError
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sharding import full_tensor
from kofinlaw.trainer.zero import Zero, launched_stage

__all__ = ["clip_gradients", "learning_rate", "make_optimizer", "set_learning_rate"]


def learning_rate(step: int, steps: int, settings: TrainSettings) -> float:
    """Return the learning rate of `step` (from 0) of `steps`: linear warm-up, then the schedule.

    `cosine` falls to a tenth of the peak, `linear` to zero after the last step.
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


def make_optimizer(
    model: Module, settings: TrainSettings, *, card: bool | None = None
) -> Optimizer:
    """Make AdamW over the adapter; the B matrices are a second group with their own `ratio`.

    `card` is whether the optimizer works on a CUDA card; None: whether this process has one.
    Raises UserError for an 8-bit optimizer without CUDA.
    """
    if card is None:
        card = torch.cuda.is_available()
    a = [p for name, p in trainable(model) if "lora_B" not in name]
    b = [p for name, p in trainable(model) if "lora_B" in name]
    groups = [
        {"params": a, "ratio": 1.0},
        {"params": b, "ratio": settings.learning_rate_ratio_b},
    ]
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "adamw":
        # Fused on a card: one kernel for the whole state. DeepSpeed makes states of its own.
        fused = True if card and not launched_stage() else None
        return torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=fused)
    if not card:
        raise UserError(
            f"{settings.optimizer} needs CUDA", where="train.optimizer", remedy="use adamw"
        )
    import bitsandbytes

    paged = settings.optimizer == "paged_adamw_8bit"
    kind = bitsandbytes.optim.PagedAdamW8bit if paged else bitsandbytes.optim.AdamW8bit
    return kind(groups, lr=rate, weight_decay=decay)


def clip_gradients(model: Module, settings: TrainSettings) -> float:
    """Scale the gradients down to `max_gradient_norm`; return their norm before, over all ranks."""
    parameters = [parameter for _, parameter in trainable(model)]
    most = settings.max_gradient_norm or math.inf
    return float(full_tensor(torch.nn.utils.clip_grad_norm_(parameters, most)))


def set_learning_rate(optimizer: Optimizer | Zero, rate: float) -> None:
    """Set the rate of every group: `rate` times the group's `ratio`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["ratio"]
