"""Measure before the first step how many tokens one pass may hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from kofinlaw import UserError
from kofinlaw.models.out_of_memory import is_out_of_memory
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.batching import PASS_COST_TOKENS
from kofinlaw.trainer.device.card_forms import takes_card_form
from kofinlaw.trainer.device.kept_layers import (
    PassMemory,
    fastest_budget,
    keep_layers,
    layers_to_recompute,
)
from kofinlaw.trainer.memory_use import memory_in_use, peak_memory, release_memory, reset_peak
from kofinlaw.trainer.optimization import make_optimizer
from kofinlaw.trainer.passes import Passes
from kofinlaw.trainer.remedies import remedies
from kofinlaw.trainer.sharding import exit_out_of_memory
from kofinlaw.units import GIB

__all__ = ["CPU_TOKENS", "CUDA_TOKENS", "MARGIN", "probe_budget"]

# More tokens per pass than this make a step little faster; chosen, not measured.
CPU_TOKENS, CUDA_TOKENS = 1024, 16384
MARGIN = 0.95
# Layers that keep their activations while the probe measures what one takes.
KEPT_IN_PROBE = 5
# Steps whose passes are counted to compare budgets.
TYPICAL_STEPS = 8
# Turning the 4-bit or 8-bit weights of a layer into 16 bits once takes as long as its product with
# this many tokens: 2.5 bytes a weight at 1 TB/s against 2 operations a weight at 105 TFLOP/s (4090,
# by arithmetic).
UNPACKING_TOKENS = 128


def probe_budget(
    passes: Passes,
    *,
    limit: int,
    checkpoint_root: Path | None = None,
    measure: Callable[[Sequence[int]], int] | None = None,
) -> tuple[int, dict[str, float]]:
    """Return the padded tokens that a pass may hold under `limit` bytes, and the measurements.

    The longest example, then the two longest, run forward and backward with an optimizer step in
    between; the adapter is restored afterwards. Memory is assumed to be linear in padded tokens.
    With `train.kept_layers: auto` the longest example runs again with some layers kept, and the
    model is left with the number of kept layers that makes steps fastest. `measure` returns the
    bytes of a pass over some examples; None: the pass runs here, and the memory in use is read.
    Raises UserError if one example does not fit; the message says by how much. A sharded run that
    is out of memory with two examples leaves half the budget below `checkpoint_root` and ends.
    """
    order = sorted(range(len(passes.examples)), key=lambda i: (-passes.lengths[i], i))
    longest = passes.lengths[order[0]]
    cap = CUDA_TOKENS if takes_card_form(passes.ranks.device) else CPU_TOKENS
    cap = max(longest, min(cap, longest * min(passes.settings.effective_batch, len(order))))
    if measure is None:
        measure = partial(_peak, passes, limit=limit, checkpoint_root=checkpoint_root)
    release_memory()
    loaded = memory_in_use()
    one = measure(order[:1])
    figures = {"longest_tokens": float(longest), "one_example_gib": round(one / GIB, 3)}
    if one > limit:
        raise UserError(
            f"the longest example ({longest} tokens) takes {one / GIB:.2f} GiB, "
            f"{(one - limit) / GIB:.2f} GiB over the limit of {limit / GIB:.2f} GiB",
            where="train",
            remedy=remedies(
                passes.model,
                passes.settings,
                over=one - limit,
                pass_bytes=one - loaded,
                longest=longest,
            ),
        )
    slope = 0.0
    if cap >= 2 * longest:
        try:
            two = measure(order[:2])
        except UserError:
            return longest, figures
        more = passes.padded(order[:2]) - passes.padded(order[:1])
        slope = max((two - one) / more, 1.0)
        figures["bytes_per_token"] = round(slope)
    per_kept = _bytes_per_kept_layer(passes, order[:1], one, measure)
    if per_kept is None:
        if not slope:
            return cap, figures
        budget = longest + int((limit * MARGIN - one) / slope)
        return max(longest, min(cap, budget)), figures
    # Without a slope every pass has one example: what it takes is fixed.
    memory = PassMemory(
        fixed=one - slope * longest,
        per_token=slope,
        per_kept=per_kept,
        layers=len(layers_to_recompute(passes.model)),
    )
    tokens, kept = fastest_budget(
        memory,
        limit=limit * MARGIN,
        longest=longest,
        most=cap,
        cost=lambda budget: _cost(passes, budget),
    )
    keep_layers(passes.model, kept)
    figures |= {"bytes_per_token_and_kept_layer": round(per_kept), "kept_layers": kept}
    return tokens, figures


def _bytes_per_kept_layer(
    passes: Passes, part: Sequence[int], without: int, measure: Callable[[Sequence[int]], int]
) -> float | None:
    """Measure the bytes per token of a layer that keeps its activations; None if none is to.

    The first kept layer may be free: a pass holds one layer's activations in any case. The others
    are counted, so the result is too high rather than too low.
    """
    layers = len(layers_to_recompute(passes.model))
    if passes.settings.kept_layers != "auto" or passes.ranks.sharded or layers < 2:
        return None
    kept = min(KEPT_IN_PROBE, layers)
    try:
        keep_layers(passes.model, kept)
        peak = measure(part)
    except UserError:
        return None  # no room for as few as these
    finally:
        keep_layers(passes.model, 0)
    return max((peak - without) / (kept - 1) / passes.lengths[part[0]], 1.0)


def _cost(passes: Passes, budget: int) -> float:
    """Return the padded tokens of some typical steps, and what the start of their passes costs."""
    batch = min(passes.settings.effective_batch, len(passes.examples))
    start = PASS_COST_TOKENS if passes.settings.quantization == "none" else UNPACKING_TOKENS
    total = 0.0
    for number in range(TYPICAL_STEPS):
        random = np.random.default_rng(number)
        members = random.choice(len(passes.examples), size=batch, replace=False)
        parts = passes.split(members.tolist(), budget)
        total += sum(passes.padded(part) + start for part in parts)
    return total


def _peak(passes: Passes, part: Sequence[int], *, limit: int, checkpoint_root: Path | None) -> int:
    """Return the peak of the memory in use, in bytes, during a pass over `part` and a step."""
    if passes.zero is None:
        kept = {name: p.detach().clone() for name, p in trainable(passes.model)}
    else:  # only ZeRO's engine can change the parameters, and it has its moments already
        kept = {}
    release_memory()
    reset_peak()
    try:
        passes.probe(part)
        make_optimizer(passes.model, passes.settings).step()
        peak = peak_memory()
        return int(passes.ranks.all_reduce_max([peak])[0]) if passes.ranks.sharded else peak
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        longest = passes.lengths[part[0]]
        tokens = longest * len(part)
        if passes.ranks.sharded and checkpoint_root is not None and len(part) > 1:
            exit_out_of_memory(checkpoint_root, tokens, str(error))
        raise UserError(
            f"{tokens} tokens do not fit under {limit / GIB:.2f} GiB: {error}",
            where="train",
            remedy=remedies(
                passes.model, passes.settings, over=None, pass_bytes=None, longest=longest
            ),
        ) from error
    finally:
        with torch.no_grad():
            for name, parameter in trainable(passes.model):
                if name in kept:
                    parameter.copy_(kept[name])
                parameter.grad = None
        release_memory()
