"""The real step under fake tensors: closed forms, equality with real tensors, all recipes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard, find_model
from kofinlaw.models.machines import planned_card
from kofinlaw.models.memory.counts import adapter_parameters
from kofinlaw.models.memory.memory_plan import held_by_tensors, plan_training_memory
from kofinlaw.recipes.pipeline.recipe_file import SHIPPED
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.trainer.settings import LoraSettings, TrainSettings
from kofinlaw.trainer.simulation.card_config import config_from_card
from kofinlaw.trainer.simulation.simulate import simulate_memory
from kofinlaw.trainer.simulation.training import open_training
from kofinlaw.units import GIB

# Every tensor of this shape is a multiple of the allocator's block at these lengths.
TINY = ModelCard(
    id="tiny",
    model_type="llama",
    layers=3,
    hidden=128,
    intermediate=256,
    heads=4,
    kv_heads=2,
    head_dim=32,
    vocab=512,
    context=1024,
)
RANK, LENGTH = 4, 128


def settings(**more):
    more.setdefault("lora", LoraSettings(rank=RANK))
    return TrainSettings(quantization=more.pop("quantization", "none"), **more)


def peaks(card, train, sizes, *, on_card=True, fake=True):
    with open_training(config_from_card(card), train, card=on_card, fake=fake) as training:
        return [training.peak(length, rows) for length, rows in sizes]


def test_weights_adapter_and_optimizer_are_those_of_the_closed_form():
    (peak,) = peaks(TINY, settings(), [(LENGTH, 1)])
    kinds = peak.kinds()
    linear = TINY.layers * (2 * 128 * 128 + 2 * 128 * 64 + 3 * 128 * 256)
    norms = (2 * TINY.layers + 1) * 512  # 128 numbers of 16 bits, in a block of 512 bytes
    frequencies = 2 * 512  # of the rotary embedding, and as they were at the start
    assert kinds["weights"] == 2 * (linear + 2 * 512 * 128) + norms + frequencies
    trained = 4 * adapter_parameters(TINY, RANK)
    assert kinds["adapter"] == kinds["adapter at its start"] == trained
    counters = 2 * 7 * TINY.layers * 512  # a number of steps for each matrix
    assert kinds["optimizer"] == 2 * trained + counters


def test_the_layer_inputs_are_those_of_the_closed_form():
    one, two = peaks(TINY, settings(padding_free=False), [(LENGTH, 1), (LENGTH, 2)])
    inputs = TINY.layers * LENGTH * TINY.hidden * 2
    shared = 2 * LENGTH * TINY.head_dim * 2 + 8 * LENGTH  # cosines and sines, positions
    assert one.kinds()["kept by the forward pass"] == inputs + shared
    assert two.kinds()["kept by the forward pass"] == 2 * inputs + shared
    assert (one.place, one.backward) == (f"layer {TINY.layers - 1}", True)


@pytest.mark.parametrize("checkpointing", [True, False])
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_fake_and_real_tensors_have_the_same_ledger(quantization, checkpointing):
    train = settings(quantization=quantization, gradient_checkpointing=checkpointing)
    sizes = [(40, 1), (72, 2)]
    fake = peaks(TINY, train, sizes, on_card=False)
    real = peaks(TINY, train, sizes, on_card=False, fake=False)
    assert fake == real


def test_items_to_choose_from_have_the_same_ledger_with_fake_and_real_tensors():
    train = settings(objective="contrast")
    fake = peaks(TINY, train, [(96, 2)], on_card=False)
    assert fake == peaks(TINY, train, [(96, 2)], on_card=False, fake=False)


def blocks(size):
    return -(-int(size) // 512) * 512


def test_nf4_holds_half_a_byte_and_its_scales_for_each_weight():
    """Double quantisation: 8 bits per 64 weights, 32 bits per 256 of these, and three tables."""
    wide = replace(TINY, hidden=512, intermediate=1024, head_dim=128)
    (peak,) = peaks(wide, settings(quantization="nf4"), [(LENGTH, 1)])
    matrices = wide.layers * ([512 * 512] * 2 + [512 * 256] * 2 + [512 * 1024] * 3)
    tables = 256 * 4 + 512 + 512  # of 8-bit values, of NF4's values, and the mean of the scales
    packed = sum(n / 2 + blocks(n / 64) + blocks(n / 64 / 256 * 4) + tables for n in matrices)
    rest = 2 * (2 * 512 * 512) + (2 * wide.layers + 1) * 2 * 512 + 2 * 512
    assert peak.kinds()["weights"] == packed + rest
    # The backward pass's buffer, and the weight of the product that runs.
    assert peak.kinds()["one dequantised weight"] == 2 * 2 * 512 * 1024


def recipes():
    """Yield (name, model, train section), each distinct training of the shipped recipes once."""
    seen = {}
    for path in sorted(SHIPPED.glob("*.yaml")) + sorted((SHIPPED / "presets").glob("*.yaml")):
        recipe, _ = load_recipe(str(path), ())
        if not recipe.ask_only:
            seen.setdefault((recipe.model.id, recipe.train.model_dump_json()), path.stem)
    return sorted(seen.items(), key=lambda row: row[1])


@cache
def recipe_rows():
    return {name: key for key, name in recipes()}


def test_recipes_are_found():
    names = set(recipe_rows())
    assert {"exaone-3.5-7.8b", "qwen2.5-7b", "quickstart", "statutes-cpu"} <= names


@pytest.mark.parametrize("name", sorted(recipe_rows()))
def test_the_step_of_every_shipped_recipe_runs_at_its_shapes(name):
    """Layers are alike, so a few are enough; Gemma 3 has one of full attention in six."""
    model, train = recipe_rows()[name]
    card = find_model(model)
    few = replace(card, layers=6 if card.model_type == "gemma3_text" else 2)
    asked = TrainSettings.model_validate_json(train)
    on_card = card.parameters >= 3e9
    (peak,) = peaks(few, asked, [(asked.max_length, 1)], on_card=on_card)
    kinds = peak.kinds()
    assert kinds["weights"] < peak.size < kinds["weights"] + 8 * GIB
    assert kinds["adapter"] >= 4 * adapter_parameters(few, asked.lora.rank, targets(asked))


def targets(train):
    return None if train.lora.targets == "all-linear" else train.lora.targets


@pytest.mark.parametrize("name", ["exaone-3.5-7.8b", "qwen2.5-14b"])
def test_the_plan_is_between_the_simulated_peak_and_12_percent_more(name):
    """Each further layer adds the same memory, so two depths give the peak of the whole model.

    `benchmarks/simulate.py` runs all shapes whole.
    """
    card, train = find_model(name), TrainSettings()
    sizes = [(2048, 1), (2048, 8)]
    two, three = (peaks(replace(card, layers=n), train, sizes) for n in (2, 3))
    for (length, rows), low, high in zip(sizes, two, three, strict=True):
        whole = (low.size + (card.layers - 2) * (high.size - low.size)) / GIB
        plan = plan_training_memory(card, optimizer="adamw", length=length, batch=rows)
        assert whole <= held_by_tensors(plan.terms) <= 1.12 * whole


def test_each_further_layer_adds_the_same_memory():
    sizes = [(LENGTH, 2)]
    (two,), (three,), (nine,) = (
        peaks(replace(TINY, layers=n), settings(), sizes) for n in (2, 3, 9)
    )
    assert nine.size - two.size == 7 * (three.size - two.size)


def test_what_fits_fits_and_one_more_does_not():
    train = settings(max_length=LENGTH)
    machine = planned_card(1.05, "a card of 1.05 GiB")
    steps = []
    found = simulate_memory(
        config_from_card(TINY),
        train,
        card=True,
        limit_gib=machine.gib,
        progress=lambda phase, done, total=None, **info: steps.append((phase, done)),
    )
    assert 1 <= found.micro_batch < 256
    assert found.totals[LENGTH, found.micro_batch] <= machine.gib
    assert found.totals[LENGTH, found.micro_batch + 1] > machine.gib
    assert found.totals[found.longest, 1] <= machine.gib
    assert found.longest == TINY.context or found.totals[found.longest + 64, 1] > machine.gib
    assert steps[-1] == ("simulate", len(found.totals))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantization": "int8"}, "int8 training cannot be simulated"),
        (
            {"quantization": "nf4", "lora": LoraSettings(rank=4, decomposed=True)},
            "DoRA on a 4-bit base cannot be simulated",
        ),
        ({"lora": LoraSettings(rank=500)}, "rank 500 is larger than layer"),
        ({"lora": LoraSettings(rank=4, targets=("qkv",))}, "no layer is called 'qkv'"),
        ({"lora": LoraSettings(rank=4, last_layers=9)}, "9 are required"),
    ],
)
def test_settings_that_cannot_run_are_one_error(changes, message):
    with pytest.raises(UserError, match=message):
        simulate_memory(config_from_card(TINY), settings(**changes), card=True, limit_gib=24)


def test_a_step_that_fails_at_these_shapes_is_one_error(monkeypatch):
    from kofinlaw.trainer.passes import Passes

    def broken(self, part):
        import torch

        return torch.ones(2, 3) @ torch.ones(2, 3)

    monkeypatch.setattr(Passes, "loss", broken)
    with pytest.raises(UserError, match="the training step fails at these shapes"):
        simulate_memory(config_from_card(TINY), settings(), card=True, limit_gib=24)


def test_the_process_is_unchanged_after_a_simulation():
    import torch
    from bitsandbytes import functional
    from transformers import masking_utils

    before = (
        torch.nn.functional.scaled_dot_product_attention,
        masking_utils.find_packed_sequence_indices,
    )
    peaks(TINY, settings(quantization="nf4"), [(LENGTH, 1)])
    after = (
        torch.nn.functional.scaled_dot_product_attention,
        masking_utils.find_packed_sequence_indices,
    )
    assert after == before
    assert functional.name2qmap["dynamic"].sum().isfinite()
    packed, state = functional.quantize_4bit(torch.randn(64, 64), quant_type="nf4")
    assert functional.dequantize_4bit(packed, state).isfinite().all()
