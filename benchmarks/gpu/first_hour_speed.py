"""Compare ways to make a training step faster, each against the way before it, on one card.

`first_hour.py` runs these parts next to those of `first_hour_parts.py`:

- kept: layers that keep their activations in spare memory, against recomputing all layers.

Each part makes the same step both ways and returns how many times faster the new way is, and how
far apart the gradients are. With `args.rehearse` it uses tiny shapes on a processor, and the times
mean nothing.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

__all__ = ["kept"]


def kept(args: argparse.Namespace) -> dict[str, Any]:
    """Time a step of 16 examples with the probe's choice of kept layers, and with none kept."""
    import torch
    from first_hour_parts import stepping
    from shapes import cap_memory

    from kofinlaw.trainer.device.kept_layers import keep_layers, kept_layers
    from kofinlaw.trainer.memory_use import memory_limit
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.step import Stepper
    from kofinlaw.trainer.token_probe import probe_budget

    length, rows = (64, 4) if args.rehearse else (2048, 16)
    chosen, model = stepping(args, length, rows)
    limit = memory_limit(None) if args.rehearse else cap_memory(args.cap_gib)
    figures: dict[str, Any] = {}
    found: dict[str, list[torch.Tensor]] = {}
    for way, layers in (("before", 0), ("kept", "auto")):
        settings = chosen.settings.model_copy(update={"kept_layers": layers})
        passes = Passes(model, chosen.examples, chosen.ranks, settings)
        keep_layers(model, 0)
        budget, measured = probe_budget(passes, limit=limit)
        stepper = Stepper(passes, seed=0, budget=budget, log_event=lambda _: None)
        figures[way] = {"tokens_per_second": rate(stepper, rows, length), "budget": stepper.budget}
        figures[way] |= {"layers": kept_layers(model), "probe": measured}
        found[way] = gradients(model)
    figures["times_before"] = ratio(figures["kept"], figures["before"])
    figures["gradient_difference"] = difference(found["kept"], found["before"])
    return figures


def rate(stepper: Any, rows: int, length: int) -> float:
    """Return the tokens a second of the second of two equal steps over `rows` examples."""
    import torch

    seconds = 0.0
    for _ in range(2):
        started = time.perf_counter()
        stepper.gradients(0, range(rows))
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds = time.perf_counter() - started
    return round(rows * length / seconds, 1)


def ratio(new: dict[str, Any], old: dict[str, Any]) -> float:
    """Return how many times faster the new way is."""
    return round(new["tokens_per_second"] / old["tokens_per_second"], 3)


def gradients(model: Any) -> list[Any]:
    """Return copies of the gradients of the adapter."""
    from kofinlaw.trainer.adapter import trainable

    return [p.grad.detach().clone() for _, p in trainable(model) if p.grad is not None]


def difference(one: list[Any], other: list[Any]) -> float:
    """Return the largest distance of two gradients of a tensor, relative to the second one."""
    return max(
        float((a - b).norm() / b.norm().clamp_min(1e-12)) for a, b in zip(one, other, strict=True)
    )
