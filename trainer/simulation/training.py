"""Set up the training of a model at its real shape, and run real steps with tensors that are fake.

Everything that the trainer does between loading a base and writing an adapter runs unchanged:
attaching, our LoRA pass, checkpointing, the head on supervised rows, clipping, the optimizer. For
a card these take the forms that run there (`device/card_forms.py`).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn import Module, Parameter
from torch.optim import Optimizer

from kofinlaw import UserError
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.device.card_forms import as_on_card
from kofinlaw.trainer.device.kept_layers import keep_layers
from kofinlaw.trainer.device.padding_free import why_padded
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.loss import causal_model
from kofinlaw.trainer.optimization import clip_gradients, make_optimizer
from kofinlaw.trainer.passes import Passes
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.simulation.base_model import (
    allocate,
    empty_model,
    few_layers,
    prepare_tables,
)
from kofinlaw.trainer.simulation.examples import long_examples
from kofinlaw.trainer.simulation.kernels import (
    inside_kernels,
    made_kinds,
    replaced_operators,
    simulated_functions,
)
from kofinlaw.trainer.simulation.ledger import CARD_BLOCK, Ledger, Peak
from kofinlaw.trainer.simulation.liger_forms import liger_forms
from kofinlaw.trainer.step import Stepper
from kofinlaw.trainer.trainee import adapted_model, check_trainee, start_of

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PretrainedConfig

__all__ = ["WARM_UP_TOKENS", "SimulatedTraining", "open_training"]

PROCESSOR_BLOCK = 64  # bytes: torch aligns the tensors of a processor to this
WARM_UP_TOKENS = 16  # of the step that makes the optimizer's state
WEIGHTS, ADAPTER, START = "weights", "adapter", "adapter at its start"
GRADIENTS, OPTIMIZER = "gradients", "optimizer"
FORWARD, BACKWARD, HEAD = "kept by the forward pass", "one layer's pass", "head and loss"


class SimulatedTraining:
    """A model in training whose steps can be run at any length; made by `open_training`.

    `loaded` is the peak while the model was made ready, `held` the bytes between two steps.
    `padded` says why the examples of a pass are padded; empty if they are laid end to end.
    """

    def __init__(
        self, model: PeftModel, settings: TrainSettings, ledger: Ledger, *, card: bool
    ) -> None:
        self.model = model
        self.settings = settings
        self.ledger = ledger
        self.ranks = _one_rank()
        ledger.kind, ledger.place = WEIGHTS, "loading"
        allocate(model, self._note)
        examples = long_examples(settings, 2 * WARM_UP_TOKENS, 1)
        with few_layers(model):  # the checks compare values, which fake tensors do not have
            self.not_packed = check_trainee(model, settings, examples)
            self.padded = why_padded(model, examples, settings, self.ranks)
        ledger.kind = START
        self.start = start_of(model)
        self.optimizer: Optimizer = make_optimizer(model, settings, card=card)
        self._follow(model)
        self.loaded = ledger.peak
        self._step(examples)
        self.held = ledger.held

    def peak(
        self, length: int, rows: int, *, supervised: float = 1.0, kept: int | None = None
    ) -> Peak:
        """Run a step of one micro-batch of `rows` examples of `length` tokens; return its peak.

        The optimizer has its state already, as in every step but the first.

        Args:
            length: tokens of each example.
            rows: examples of the micro-batch.
            supervised: the share of learned tokens of a text.
            kept: layers that keep their activations; None: as the model has it. Raises UserError
                if there are fewer layers.
        """
        if kept is not None:
            keep_layers(self.model, kept)
        return self.peak_of(long_examples(self.settings, length, rows, supervised=supervised))

    def peak_of(self, examples: Sequence[Encoded]) -> Peak:
        """Run a step over `examples` in one pass and return its peak."""
        self._step(examples)
        return self.ledger.peak

    def passes(self, examples: Sequence[Encoded]) -> Passes:
        """Return passes over `examples` in the form that training chooses."""
        return Passes(
            self.model,
            examples,
            self.ranks,
            self.settings,
            packed=not self.not_packed,
            joined=not self.padded,
        )

    def _step(self, examples: Sequence[Encoded]) -> None:
        """Run a step over all `examples` in one pass, as `Loop` does."""
        ledger = self.ledger
        passes = self.passes(examples)
        everyone = range(len(examples))
        stepper = Stepper(passes, seed=0, budget=passes.padded(everyone), log_event=_refuse)
        gc.collect()
        ledger.reset()
        ledger.place, ledger.kind = "embedding", FORWARD
        stepper.gradients(0, everyone)
        ledger.place, ledger.kind = "optimizer", OPTIMIZER
        clip_gradients(self.model, self.settings)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def _note(self, parameter: Parameter) -> None:
        self.ledger.kind = ADAPTER if parameter.requires_grad else WEIGHTS

    def _follow(self, model: PeftModel) -> None:
        """Let the ledger know which layer runs, and which storages are gradients."""
        base = causal_model(model)
        for name, module in base.named_modules():
            number = name.rsplit(".", 1)[-1]
            if number.isdigit() and name.count(".layers."):
                module.register_forward_pre_hook(partial(self._enter, f"layer {number}"))
        base.base_model.register_forward_hook(self._leave)
        for _, parameter in trainable(model):
            parameter.register_post_accumulate_grad_hook(self._gradient)

    def _enter(self, place: str, _: Module, inputs: object) -> None:
        backward = torch._C._current_graph_task_id() != -1
        self.ledger.place = place
        self.ledger.kind = BACKWARD if backward else FORWARD

    def _leave(self, _: Module, inputs: object, output: object) -> None:
        self.ledger.place, self.ledger.kind = "head", HEAD

    def _gradient(self, parameter: torch.Tensor) -> None:
        if parameter.grad is not None:
            self.ledger.relabel(parameter.grad, GRADIENTS)


@contextmanager
def open_training(
    config: PretrainedConfig,
    settings: TrainSettings,
    *,
    card: bool,
    fake: bool = True,
    seed: int = 0,
) -> Iterator[SimulatedTraining]:
    """Yield the training of a model of this config; inside of it, steps can be run.

    Args:
        config: the shape of the base.
        settings: of the training.
        card: whether the kernels and defaults are those of a card.
        fake: whether tensors have no memory. Otherwise the same code runs with real tensors, which
            needs their memory; attention then runs on this machine.
        seed: seed of the adapter's start.

    Raises: UserError for int8, whose kernels choose sizes by values, for DoRA on a 4-bit base, for
    a model that `train.backend: liger` does not know, and as `attach_adapter`.
    """
    if settings.quantization == "int8":
        raise UserError(
            "int8 training cannot be simulated: bitsandbytes chooses sizes by the values there",
            where="train.quantization",
            remedy="use nf4 or none, or `kofinlaw plan` without --simulate",
        )
    if settings.quantization == "nf4" and settings.lora.decomposed:
        raise UserError(
            "DoRA on a 4-bit base cannot be simulated: peft copies the layers' values",
            where="train.lora.decomposed",
            remedy="use quantization: none, or `kofinlaw plan` without --simulate",
        )
    attention = settings.attention
    if attention == "auto":
        attention = "sdpa" if card else "eager"
    asked = settings.gradient_checkpointing
    recompute = card if asked == "auto" else asked
    prepare_tables()
    base = empty_model(
        config, quantization=settings.quantization, dtype=settings.dtype, attention=attention
    )

    def number() -> float:
        # Losses, norms and differences of 0 pass every check; AdamW divides by its steps.
        return float(ledger.kind == OPTIMIZER)

    ledger = Ledger(
        block=CARD_BLOCK if card else PROCESSOR_BLOCK,
        instead=replaced_operators(number if fake else None),
        inside=inside_kernels(card=card),
        kinds=made_kinds(),
    )
    with ExitStack() as stack:
        stack.enter_context(as_on_card(card and fake))
        if settings.backend == "liger":
            stack.enter_context(liger_forms(base))
        model = adapted_model(base, settings, _one_rank(), seed=seed, recompute=recompute)
        stack.enter_context(simulated_functions(card=card and fake))
        if fake:
            from torch._subclasses.fake_tensor import FakeTensorMode

            stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        stack.enter_context(ledger)
        yield SimulatedTraining(model, settings, ledger, card=card)


def _one_rank() -> Ranks:
    return Ranks(0, 1, torch.device("cpu"))


def _refuse(event: str) -> None:
    raise RuntimeError(f"a simulated step has split its micro-batch: {event}")
