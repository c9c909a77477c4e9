"""The form of a card, seen where autograd calls Python: backward passes, hooks, recomputation."""

from __future__ import annotations

import threading

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from kofinlaw.models.catalogue import ModelCard
from kofinlaw.trainer import lora_pass
from kofinlaw.trainer.device.card_forms import as_on_card, takes_card_form
from kofinlaw.trainer.settings import LoraSettings, TrainSettings
from kofinlaw.trainer.simulation.card_config import config_from_card
from kofinlaw.trainer.simulation.training import open_training

PROCESSOR = torch.device("cpu")
TINY = ModelCard(
    id="tiny",
    model_type="llama",
    layers=2,
    hidden=64,
    intermediate=128,
    heads=2,
    kv_heads=1,
    head_dim=32,
    vocab=256,
    context=512,
)


class Noting(torch.autograd.Function):
    """Twice the input; notes in which form and thread its backward pass runs."""

    @staticmethod
    def forward(ctx, x: Tensor, seen: list[tuple[str, bool, int]]) -> Tensor:
        ctx.seen = seen
        seen.append(note("forward"))
        return x * 2

    @staticmethod
    def backward(ctx, upstream: Tensor) -> tuple[Tensor | None, ...]:
        ctx.seen.append(note("backward"))
        return upstream * 2, None


def note(place: str) -> tuple[str, bool, int]:
    return place, takes_card_form(PROCESSOR), threading.get_ident()


def pass_with_hooks() -> list[tuple[str, bool, int]]:
    """Run a recomputed forward pass and a backward pass with hooks; return what they noted."""
    seen: list[tuple[str, bool, int]] = []
    weight = torch.ones(3, requires_grad=True)
    weight.register_hook(lambda _: seen.append(note("hook of a gradient")))
    weight.register_post_accumulate_grad_hook(lambda _: seen.append(note("hook after the sum")))
    out = checkpoint(lambda w: Noting.apply(w, seen).sin(), weight, use_reentrant=False)
    out.sum().backward()
    return seen


def test_backward_passes_hooks_and_recomputation_run_in_the_thread_of_the_block():
    with as_on_card():
        inside = pass_with_hooks()
    outside = pass_with_hooks()
    places = [place for place, *_ in inside]
    assert places == [
        "forward",
        "forward",  # recomputed
        "backward",
        "hook of a gradient",
        "hook after the sum",
    ]
    me = threading.get_ident()
    assert {one[1:] for one in inside} == {(True, me)}
    assert {one[1:] for one in outside} == {(False, me)}


def test_another_thread_keeps_the_form_of_its_own_device():
    found: list[list[tuple[str, bool, int]]] = []
    with as_on_card():
        other = threading.Thread(target=lambda: found.append(pass_with_hooks()))
        other.start()
        other.join()
        assert takes_card_form(PROCESSOR)
    assert {form for _, form, _ in found[0]} == {False}


def test_the_backward_pass_of_a_simulated_step_sums_in_the_form_of_a_card(monkeypatch):
    seen = []
    product = lora_pass.float32_product

    def noted(one: Tensor, other: Tensor) -> Tensor:
        seen.append((takes_card_form(one.device), threading.get_ident()))
        return product(one, other)

    monkeypatch.setattr(lora_pass, "float32_product", noted)
    settings = TrainSettings(lora=LoraSettings(rank=4), gradient_checkpointing=True)
    with open_training(config_from_card(TINY), settings, card=True) as training:
        seen.clear()
        training.peak(64, 2)
    # Two products for each of seven linear layers of each of two decoder layers.
    assert seen == [(True, threading.get_ident())] * 2 * 7 * 2
