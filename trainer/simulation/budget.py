"""Simulate what training chooses on a card: the tokens of a pass and the layers that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.models.memory.memory_plan import GPU_SLACK
from kofinlaw.trainer.device.kept_layers import keep_layers, kept_layers
from kofinlaw.trainer.simulation.examples import long_examples
from kofinlaw.trainer.simulation.ledger import Peak
from kofinlaw.trainer.simulation.training import SimulatedTraining
from kofinlaw.trainer.token_probe import probe_budget

__all__ = ["SimulatedBudget", "simulate_budget"]


@dataclass(frozen=True, slots=True)
class SimulatedBudget:
    """The pass that training makes on a card, by simulation.

    `tokens` is the budget of a pass, `kept_layers` how many layers keep their activations, and
    `peak` the peak of a step with a pass that fills the budget.
    """

    tokens: int
    kept_layers: int
    peak: Peak


def simulate_budget(training: SimulatedTraining, limit: int) -> SimulatedBudget:
    """Run the probe of training with simulated peaks, and simulate the pass that it chooses.

    The examples are as many as a step has, each as long as the recipe allows, and all tokens are
    learned. `limit` is the bytes that torch's allocator may hold. Raises UserError if one example
    does not fit. The model is left with the kept layers that it had.
    """
    settings = training.settings
    before = kept_layers(training.model)
    length, asked = settings.max_length, settings.max_tokens_per_micro_batch
    try:
        if asked == "auto":
            examples = long_examples(settings, length, settings.effective_batch)
            passes = training.passes(examples)

            def reserved(part: Sequence[int]) -> int:
                peak = training.peak_of([examples[i] for i in part])
                return int(peak.size * (1 + GPU_SLACK))

            tokens, _ = probe_budget(passes, limit=limit, measure=reserved)
        else:
            tokens = asked
        rows, rest = divmod(tokens, length)
        filling = long_examples(settings, length, max(1, rows))
        if rest > 1 and rows and not training.padded:
            filling += long_examples(settings, rest, 1)
        return SimulatedBudget(tokens, kept_layers(training.model), training.peak_of(filling))
    finally:
        keep_layers(training.model, before)
