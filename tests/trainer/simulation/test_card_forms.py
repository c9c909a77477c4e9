"""What a card runs, in the simulation: joined rows, the fused 4-bit pass, kept layers, Liger."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard, find_model
from kofinlaw.models.memory.memory_plan import (
    GPU_SLACK,
    held_by_tensors,
    plan_training_memory,
)
from kofinlaw.trainer.device.card_forms import as_on_card, takes_card_form
from kofinlaw.trainer.device.kept_layers import kept_layers
from kofinlaw.trainer.settings import LoraSettings, TrainSettings
from kofinlaw.trainer.simulation.budget import simulate_budget
from kofinlaw.trainer.simulation.card_config import config_from_card
from kofinlaw.trainer.simulation.kernels import flash_backward_bytes, varlen_backward_bytes
from kofinlaw.trainer.simulation.training import open_training
from kofinlaw.units import GIB

TINY = ModelCard(
    id="tiny",
    model_type="llama",
    layers=3,
    hidden=128,
    intermediate=512,
    heads=4,
    kv_heads=2,
    head_dim=32,
    vocab=512,
    context=1024,
)
LENGTH = 256


def training(card=TINY, **changes):
    changes.setdefault("lora", LoraSettings(rank=4))
    return open_training(config_from_card(card), TrainSettings(**changes), card=True)


def operators(peak):
    return {holder.operator for holder in peak.holders}


def test_the_form_of_a_card_is_simulated_inside_of_the_block_only():
    processor = torch.device("cpu")
    seen = []

    def work():
        with as_on_card():
            seen.append(takes_card_form(processor))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert seen == [True]
    assert not takes_card_form(processor)
    assert takes_card_form(torch.device("cuda"))


def test_examples_are_laid_end_to_end_and_a_4_bit_layer_runs_with_its_adapter():
    with training() as joined:
        assert joined.padded == ""
        peak = joined.peak(LENGTH, 2)
    assert "_varlen_attn" in operators(peak)
    buffers = [h for h in peak.holders if h.kind == "one dequantised weight"]
    assert ("empty", 1) in [(h.operator, h.count) for h in buffers]
    with training(padding_free=False) as padded:
        assert padded.padded == "train.padding_free is false"
        assert "_scaled_dot_product_flash_attention" in operators(padded.peak(LENGTH, 2))


def test_a_processor_and_float32_keep_their_forms():
    with training(dtype="float32", quantization="none") as wide:
        assert "16-bit numbers only" in wide.padded
    config = config_from_card(TINY)
    settings = TrainSettings(lora=LoraSettings(rank=4))
    with open_training(config, settings, card=False) as on_processor:
        assert on_processor.padded == "the device is a processor"
        peak = on_processor.peak(64, 1)
    assert "_varlen_attn" not in operators(peak)


def test_the_first_kept_layer_is_free_and_each_further_one_adds_the_same():
    with training(replace(TINY, layers=5)) as simulated:
        sizes = [simulated.peak(1024, 1, kept=kept).size for kept in (0, 2, 3, 4)]
    first, second, third = (b - a for a, b in itertools.pairwise(sizes))
    assert first > 0
    assert second == third > 0


def test_the_chosen_pass_stays_under_the_limit_and_spare_memory_keeps_layers():
    with training(max_length=LENGTH, effective_batch=4) as simulated:
        least = simulated.peak(LENGTH, 1).size * (1 + GPU_SLACK)
        scarce = simulate_budget(simulated, int(1.06 * least))
        ample = simulate_budget(simulated, int(10 * least))
        assert kept_layers(simulated.model) == 0
        with pytest.raises(UserError, match="over the limit"):
            simulate_budget(simulated, int(0.9 * least))
    assert LENGTH <= scarce.tokens < 1.05 * LENGTH
    assert scarce.kept_layers == 0
    assert scarce.peak.size * (1 + GPU_SLACK) <= 1.06 * least
    assert ample.kept_layers == TINY.layers
    assert LENGTH <= ample.tokens <= 4 * LENGTH
    assert ample.peak.size > scarce.peak.size


def test_liger_holds_less_and_refuses_models_that_it_does_not_know():
    before = torch.nn.functional
    sizes = {}
    for backend in ("hf", "liger"):
        with training(backend=backend) as simulated:
            sizes[backend] = simulated.peak(1024, 1).size
    # In one layer: the float32 inputs of both norms, and the output of SiLU.
    assert sizes["hf"] - sizes["liger"] >= 1024 * (2 * 4 * TINY.hidden + 2 * TINY.intermediate) / 2
    assert torch.nn.functional is before
    from transformers.models.llama import modeling_llama

    assert modeling_llama.apply_rotary_pos_emb.__name__ == "apply_rotary_pos_emb"
    few = replace(find_model("google/gemma-3-270m"), layers=1)
    with (
        pytest.raises(UserError, match="liger does not know models of type gemma3_text"),
        training(few, backend="liger"),
    ):
        pass


@pytest.mark.parametrize(
    ("changes", "planned"),
    [
        ({}, {}),
        ({"dtype": "float32", "quantization": "none"}, {"dtype": "float32"}),
        ({"attention": "eager"}, {"attention": "eager"}),
        ({"lora": LoraSettings(rank=4, dropout=0.1)}, {"peft_pass": True}),
        ({"kept_layers": 2}, {"kept_layers": 2}),
    ],
)
def test_the_plan_is_never_below_the_simulated_peak(changes, planned):
    length, rows = 512, 2
    settings = TrainSettings(**({"lora": LoraSettings(rank=4)} | changes))
    with open_training(config_from_card(TINY), settings, card=True) as simulated:
        peak = simulated.peak(length, rows).size / GIB
    plan = plan_training_memory(
        TINY,
        quantization=settings.quantization,
        rank=4,
        optimizer="adamw",
        length=length,
        batch=rows,
        **planned,
    )
    assert peak <= held_by_tensors(plan.terms)


def test_the_backward_kernels_allocate_what_their_source_says():
    """Float32 gradients of the query with row sums, and 16-bit keys and values for every head."""
    dense = flash_backward_bytes((2, 4, 200, 40), (2, 2, 200, 40))
    assert dense == 2 * 4 * 256 * (64 + 1) * 4 + 2 * 2 * 4 * 200 * 40 * 2
    joined = varlen_backward_bytes((400, 4, 40), (400, 2, 40), examples=2)
    assert joined == (400 + 2 * 128) * 4 * (64 + 1) * 4 + 2 * 400 * 4 * 40 * 2
    assert varlen_backward_bytes((128, 1, 136), (128, 1, 136), examples=1) == 256 * (192 + 1) * 4
