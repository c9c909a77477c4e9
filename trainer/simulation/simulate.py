"""Simulate the memory of training: the peak at a length, and what fits under a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError, silent
from kofinlaw.models.memory.memory_plan import CPU_CONTEXT_GIB, GPU_CONTEXT_GIB, GPU_SLACK
from kofinlaw.models.out_of_memory import is_out_of_memory, memory_shortage
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.simulation.budget import SimulatedBudget, simulate_budget
from kofinlaw.trainer.simulation.fitting import largest_that_fits
from kofinlaw.trainer.simulation.ledger import Peak
from kofinlaw.trainer.simulation.training import open_training
from kofinlaw.units import GIB

if TYPE_CHECKING:
    from transformers import PretrainedConfig

__all__ = ["LENGTH_STEP", "MOST_ROWS", "SimulatedMemory", "simulate_memory", "total_gib"]

LENGTH_STEP = 64  # the longest sequence is found in steps of this many tokens
MOST_ROWS = 256  # sequences per micro-batch that are tried
PHASE = "simulate"


@dataclass(frozen=True, slots=True)
class SimulatedMemory:
    """The memory of a training step by simulation; sizes are GiB, lengths tokens.

    - `peak` is the peak of a step with one sequence of the recipe's length.
    - `total` adds the allocator's share and the context to it.
    - `loaded` is the peak of making the model ready, in bytes.
    - `micro_batch` is the largest number of sequences of that length under the limit, `longest`
      the longest single sequence, a multiple of `LENGTH_STEP`; 0 if not even the smallest fits.
    - `totals` are the totals of all sizes that were simulated, by (length, rows).
    - `chosen` is the pass that training chooses on a card; None on a processor, and if one sequence
      does not fit.
    - `padded` says why the examples of a pass are padded; empty if they are laid end to end.
    """

    peak: Peak
    total: float
    loaded: int
    micro_batch: int
    longest: int
    totals: Mapping[tuple[int, int], float]
    chosen: SimulatedBudget | None = None
    padded: str = ""


def total_gib(peak: Peak, *, card: bool) -> float:
    """Return what a peak takes of a machine: the allocator's share and the context are added."""
    if card:
        return peak.size / GIB * (1 + GPU_SLACK) + GPU_CONTEXT_GIB
    return peak.size / GIB + CPU_CONTEXT_GIB


def simulate_memory(
    config: PretrainedConfig,
    settings: TrainSettings,
    *,
    card: bool,
    limit_gib: float,
    progress: Progress = silent,
) -> SimulatedMemory:
    """Simulate the training of a model of this config under a limit in GiB.

    Every token of a text is learned, which is the most that a head can take. `progress` counts
    the simulated sizes. Raises UserError as `open_training`, and with the reason if the step of
    the trainer fails at these shapes.
    """
    length = settings.max_length
    window = getattr(config.get_text_config(), "max_position_embeddings", 0) or 2**17
    totals: dict[tuple[int, int], float] = {}
    progress(PHASE, 0)
    try:
        with open_training(config, settings, card=card) as training:

            def total_at(length: int, rows: int) -> float:
                if (length, rows) not in totals:
                    peaks[length, rows] = training.peak(length, rows)
                    total = total_gib(peaks[length, rows], card=card)
                    totals[length, rows] = total
                    progress(PHASE, len(totals), tokens=length * rows, gib=round(total, 2))
                return totals[length, rows]

            peaks: dict[tuple[int, int], Peak] = {}
            total = total_at(length, 1)
            micro_batch = largest_that_fits(
                partial(total_at, length), limit_gib, MOST_ROWS, known={1: total}
            )
            steps = largest_that_fits(
                lambda steps: total_at(steps * LENGTH_STEP, 1),
                limit_gib,
                window // LENGTH_STEP,
                known={} if length % LENGTH_STEP else {length // LENGTH_STEP: total},
                first=length * max(1, micro_batch) // LENGTH_STEP if card else 0,
            )
            chosen = None
            if card and micro_batch:
                progress(PHASE, len(totals))
                chosen = simulate_budget(training, int((limit_gib - GPU_CONTEXT_GIB) * GIB))
    except UserError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise memory_shortage(
                error,
                "simulating the training step",
                where="--simulate",
                remedy="end other programs",
            ) from error
        raise UserError(
            f"the training step fails at these shapes: {type(error).__name__}: {error}",
            where="train",
            remedy="check model and train settings; without them at fault, report this recipe",
        ) from error
    return SimulatedMemory(
        peaks[length, 1],
        total,
        training.loaded.size,
        micro_batch,
        steps * LENGTH_STEP,
        totals,
        chosen,
        training.padded,
    )
