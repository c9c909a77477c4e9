"""Memory plans against manual counts and the table of the reference."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard, all_models, find_model
from kofinlaw.models.memory.counts import (
    bytes_per_token,
    saved_scores,
    saved_tensors,
)
from kofinlaw.models.memory.memory_plan import plan_serving_memory, plan_training_memory
from kofinlaw.units import GIB

SIZED = [card for card in all_models() if card.role == "llm" and card.layers]

# training-toolkits §3.5: GiB with the ordinary and the chunked loss, one sequence of 1,024, of
# 2,048 and of 4,096 tokens, then four of 2,048.
TABLE = {
    "exaone-3.5-2.4b": ((4.2, 3.3), (5.4, 3.5), (7.7, 3.9), (12.4, 4.7)),
    "exaone-3.5-7.8b": ((8.1, 7.2), (9.4, 7.5), (12.0, 8.2), (17.3, 9.5)),
    "solar-10.7b": ((8.4, 8.2), (9.2, 8.7), (10.7, 9.6), (13.8, 11.4)),
    "qwen2.5-7b": ((8.8, 7.4), (10.5, 7.7), (14.0, 8.3), (21.0, 9.4)),
    "qwen2.5-14b": ((13.6, 12.2), (15.6, 12.8), (19.6, 13.9), (27.6, 16.1)),
    "exaone-3.5-32b": ((22.0, 21.1), (23.8, 21.9), (27.3, 23.5), (34.3, 26.5)),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("place", [0, 1])
def test_one_sequence_is_within_a_tenth_of_the_reference(name, place):
    full, chunked = TABLE[name][place]
    length = (1024, 2048)[place]
    assert plan_training_memory(find_model(name), length=length).total == pytest.approx(
        chunked, rel=0.1
    )
    ordinary = plan_training_memory(find_model(name), length=length, loss="full").total
    assert ordinary == pytest.approx(full, rel=0.1)


@pytest.mark.parametrize("name", TABLE)
def test_many_tokens_take_what_the_reference_says_or_up_to_a_quarter_more(name):
    # Here the gradients inside the MLP are counted, which the reference leaves out.
    for (length, batch), (_, chunked) in zip(((4096, 1), (2048, 4)), TABLE[name][2:], strict=True):
        total = plan_training_memory(find_model(name), length=length, batch=batch).total
        assert chunked <= total <= 1.25 * chunked


def test_the_terms_of_exaone_are_those_counted_by_hand():
    terms = plan_training_memory(
        find_model("exaone-3.5-7.8b"), rank=16, optimizer="adamw", length=2048
    ).terms
    linear, embeddings, norms = 6979321856, 838860800, 32 * 2 * 4096 + 4096
    assert terms["weights"] * GIB == pytest.approx(linear / 2 + 2 * (embeddings + norms), rel=1e-9)
    assert terms["quantisation constants"] * GIB == pytest.approx(linear * (1 / 64 + 1 / 4096))
    assert terms["adapter"] * GIB == pytest.approx(2 * 41943040 * 4)  # at the start, and now
    assert terms["gradients"] * GIB == pytest.approx(41943040 * 4)
    assert terms["optimizer"] * GIB == pytest.approx(41943040 * 8)
    assert terms["saved layer inputs"] * GIB == pytest.approx(2048 * 4096 * 2 * 33)
    assert sum(terms.values()) == pytest.approx(
        plan_training_memory(find_model("exaone-3.5-7.8b"), optimizer="adamw", length=2048).total
    )


def test_a_chunked_loss_does_not_grow_with_the_vocabulary_times_the_length():
    qwen = find_model("qwen2.5-14b")
    short, long = (plan_training_memory(qwen, length=n).terms["loss"] for n in (1024, 4096))
    assert long - short == pytest.approx(3072 * 5120 * 4 / GIB)
    full = plan_training_memory(qwen, length=2048, batch=4, loss="full")
    assert full.total > 24 > plan_training_memory(qwen, length=2048, batch=4).total


@pytest.mark.parametrize("kept", [True, False])
def test_on_a_processor_the_loss_and_a_layers_gradients_are_not_held_at_once(kept):
    """Longer passes make a layer count more; at some length the loss no longer counts."""
    card = find_model("exaone-3.5-2.4b")
    common = ("adapter", "gradients", "optimizer", "saved layer inputs")

    def plan(length):
        return plan_training_memory(
            card, quantization="none", length=length, gradient_checkpointing=kept, gpu=False
        )

    short, long = plan(256), plan(2048)
    logits = 256 * 102400 * 6 + 256 * 2560 * 4  # 16 bits and 32 bits a logit, and two hidden states
    name = "one layer's activations" if kept else "all layers' activations"
    layers = 0 if kept else 30
    saved = bytes_per_token(saved_tensors(card)) + bytes_per_token(saved_scores(card, 256))
    held = sum(short.terms[term] for term in ("weights", *common))
    rest = short.terms["context"]
    assert short.total == pytest.approx(held + (256 * layers * saved + logits) / GIB + rest)
    assert long.terms["loss"] == 0 < short.terms["loss"]
    assert long.terms[name] > long.terms["holes in the heap"] > 0


def test_on_a_processor_plain_attention_outgrows_everything_else():
    card = find_model("exaone-3.5-2.4b")
    plan = plan_serving_memory(card, context=1000, batch=2, gpu=False)
    scores = 2 * 32 * 1000 * 1000 * (2 + 4 + 4)
    rows = 2 * 1000 * 2 * (2 * 2560 + 3 * 32 * 80)
    assert plan.terms["prefill activations"] * GIB == pytest.approx(scores + rows)
    assert "holes in the heap" not in plan_serving_memory(card, context=1000).terms


def test_exaone_keeps_131_kilobytes_of_cache_a_token():
    plan = plan_serving_memory(find_model("exaone-3.5-7.8b"), bits=16, context=1000, batch=3)
    assert plan.terms["key-value cache"] * GIB == 3 * 1000 * 131072


@given(
    card=st.sampled_from(SIZED),
    limit=st.floats(1, 80),
    length=st.integers(16, 8192),
    gpu=st.booleans(),
)
def test_what_a_plan_says_fits_does_and_one_more_does_not(card, limit, length, gpu):
    plan = plan_training_memory(card, length=length, limit_gib=limit, gpu=gpu)
    assert (plan.micro_batch >= 1) == (plan.total <= limit)
    if 0 < plan.micro_batch < 4096:
        size = plan.micro_batch
        assert plan_training_memory(card, length=length, batch=size, gpu=gpu).total <= limit
        assert plan_training_memory(card, length=length, batch=size + 1, gpu=gpu).total > limit
    if 0 < plan.longest < card.context:
        assert plan_training_memory(card, length=plan.longest, gpu=gpu).total <= limit
        assert plan_training_memory(card, length=plan.longest + 1, gpu=gpu).total > limit


def test_fewer_bits_and_checkpointing_take_less():
    card = find_model("solar-10.7b")
    widths = [plan_training_memory(card, quantization=q).total for q in ("nf4", "int8", "none")]
    assert widths == sorted(widths)
    assert (
        plan_training_memory(card).total
        < plan_training_memory(card, gradient_checkpointing=False).total
    )
    assert (
        plan_training_memory(card, optimizer="adamw_8bit").total
        < plan_training_memory(card, optimizer="adamw").total
    )


def test_a_model_of_unknown_shape_is_said_to_be_so():
    with pytest.raises(UserError, match="shape of x is not known"):
        plan_training_memory(ModelCard(id="x", parameters=1000))
    with pytest.raises(UserError, match="shape of x is not known"):
        plan_serving_memory(ModelCard(id="x", parameters=1000))


def test_planning_needs_no_torch():
    import subprocess

    code = "import sys, kofinlaw.models.memory.memory_plan, kofinlaw.models.listing; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_kept_layers_add_the_activations_of_all_but_one_of_them():
    from kofinlaw.models.catalogue import find_model
    from kofinlaw.models.memory.memory_plan import plan_training_memory

    card = find_model("LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct")
    plans = [plan_training_memory(card, kept_layers=kept) for kept in (0, 1, 5)]
    assert plans[0] == plans[1]
    name = "kept layers' activations"
    assert name not in plans[1].terms
    # 2,048 tokens of 4 layers: norms 2·4·4096, rows 2·2·4096, attention 2·(2·4096 + 2·1024),
    # MLP 4·2·14336 and 7 thin products 2·16 bytes
    each = 2 * 4 * 4096 + 2 * 2 * 4096 + 2 * 2 * (4096 + 1024) + 4 * 2 * 14336 + 7 * 2 * 16
    assert plans[2].terms[name] == pytest.approx(4 * 2048 * each / 2**30)
