"""How many tokens one pass may hold, found before the first step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kofinlaw import UserError
from kofinlaw.models.memory.out_of_memory import is_out_of_memory
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.memory_use import (
    memory_in_use,
    peak_memory,
    release_memory,
    reset_peak,
)
from kofinlaw.trainer.step import Stepper
from kofinlaw.units import GIB

# More tokens than this in a pass make little faster; chosen, not measured.
CPU_TOKENS, CUDA_TOKENS = 1024, 16384
MARGIN = 0.95


def probe_budget(
    stepper: Stepper, *, limit: int, batch: int, make_optimizer: Callable[[], Any]
) -> tuple[int, dict[str, float]]:
    """Padded tokens a pass may hold under `limit` bytes, and the figures it was found by.

    The longest example, then the two longest, go forward and backward with an optimizer step
    between on a throw-away adapter state; memory is taken as a straight line in padded tokens.
    Raises UserError where one example does not fit, saying by how much.
    """
    import torch

    order = sorted(range(len(stepper.examples)), key=lambda i: (-stepper.lengths[i], i))
    longest = stepper.lengths[order[0]]
    cap = CUDA_TOKENS if torch.cuda.is_available() else CPU_TOKENS
    cap = max(longest, min(cap, longest * min(batch, len(order))))
    release_memory()
    loaded = memory_in_use()
    one = _peak(stepper, order[:1], make_optimizer, limit)
    figures = {"longest_tokens": float(longest), "one_example_gib": round(one / GIB, 3)}
    if one > limit:
        raise UserError(
            f"the longest example ({longest} tokens) takes {one / GIB:.2f} GiB, "
            f"{(one - limit) / GIB:.2f} GiB over the limit of {limit / GIB:.2f} GiB",
            where="train",
            remedy=stepper.remedy(one - limit, one - loaded, longest),
        )
    if cap < 2 * longest:
        return cap, figures
    try:
        two = _peak(stepper, order[:2], make_optimizer, limit)
    except UserError:
        return longest, figures
    slope = max((two - one) / longest, 1.0)
    figures["bytes_per_token"] = round(slope)
    budget = longest + int((limit * MARGIN - one) / slope)
    return max(longest, min(cap, budget)), figures


def _peak(stepper: Stepper, part: list[int], make_optimizer: Callable[[], Any], limit: int) -> int:
    import torch

    if stepper.zero is None:
        kept = {name: p.detach().clone() for name, p in trainable(stepper.model)}
    else:  # ZeRO's engine alone can change them, and has its moments already
        kept = {}
    release_memory()
    reset_peak()
    try:
        stepper.trial(part)
        make_optimizer().step()
        peak = peak_memory()
        return int(stepper.ranks.all_reduce_max([peak])[0]) if stepper.ranks.sharded else peak
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        tokens = stepper.lengths[part[0]] * len(part)
        if stepper.ranks.sharded and stepper.exhausted is not None and len(part) > 1:
            stepper.exhausted(tokens, str(error))
        raise UserError(
            f"{tokens} tokens do not fit under {limit / GIB:.2f} GiB: {error}",
            where="train",
            remedy=stepper.remedy(None, None, stepper.lengths[part[0]]),
        ) from error
    finally:
        with torch.no_grad():
            for name, parameter in trainable(stepper.model):
                if name in kept:
                    parameter.copy_(kept[name])
                parameter.grad = None
        release_memory()
