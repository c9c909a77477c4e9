"""Layers that keep their activations: the same gradients, and a choice that is the cheapest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError

LAYERS = 4


@pytest.fixture
def stepping(build_model, examples, settings, tmp_path):
    """A function that makes a stepper with checkpointing on a model of four layers."""
    import torch

    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.adapter import trainable
    from kofinlaw.trainer.encoding import encode_examples
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.step import Stepper
    from kofinlaw.trainer.trainee import load_trainee

    folder = build_model(tmp_path / "model", layers=LAYERS, hidden=64)
    encode = load_tokenizer(folder).encode
    rows, _ = encode_examples(examples, template_for(folder), encode, max_length=512)

    def make(*, events=None, on_micro_batch=None, **fields):
        ranks = Ranks(0, 1, torch.device("cpu"))
        chosen = settings(gradient_checkpointing=True, head_chunk_rows=8, **fields)
        model = load_trainee(chosen, folder, rows, ranks, seed=0).model
        with torch.no_grad():
            for name, parameter in trainable(model):
                if "lora_B" in name:
                    parameter.normal_(0, 0.1, generator=torch.Generator().manual_seed(5))
        log = print if events is None else events.append
        return Stepper(
            Passes(model, rows, ranks, chosen),
            seed=0,
            budget=300,
            log_event=log,
            on_micro_batch=on_micro_batch,
        )

    return make


def gradients(stepper):
    from kofinlaw.trainer.adapter import trainable

    stepper.gradients(0, range(6))
    return {name: p.grad.clone() for name, p in trainable(stepper.passes.model)}


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_gradients_are_the_same_bit_for_bit_for_every_number_of_kept_layers(quantization, stepping):
    import torch

    from kofinlaw.trainer.device.kept_layers import keep_layers, kept_layers

    stepper = stepping(quantization=quantization)
    expected = gradients(stepper)
    assert kept_layers(stepper.passes.model) == 0
    for kept in range(1, LAYERS + 1):
        keep_layers(stepper.passes.model, kept)
        assert kept_layers(stepper.passes.model) == kept
        found = gradients(stepper)
        assert all(torch.equal(found[name], expected[name]) for name in expected), kept


def test_the_last_layers_are_kept_and_the_first_ones_run_again(stepping):
    stepper = stepping(kept_layers=1)
    layers = stepper.passes.model.get_base_model().model.layers
    counts = [0] * LAYERS
    for number, layer in enumerate(layers):

        def count(*_, number=number):
            counts[number] += 1

        layer.mlp.register_forward_pre_hook(count)
    stepper.passes.probe([0])
    assert counts == [2, 2, 2, 1]


def test_a_number_that_the_model_does_not_have_is_refused(stepping):
    with pytest.raises(UserError, match="5 layers cannot keep") as caught:
        stepping(kept_layers=5)
    assert caught.value.where == "train.kept_layers"


def test_out_of_memory_recomputes_more_layers_before_it_splits_the_step(stepping):
    import torch

    from kofinlaw.trainer.device.kept_layers import kept_layers

    expected = gradients(stepping())
    events = []
    left = [3]

    def fail(step, number):
        if left[0]:
            left[0] -= 1
            raise MemoryError("injected")

    stepper = stepping(kept_layers=2, events=events, on_micro_batch=fail)
    found = gradients(stepper)
    assert [event.rpartition("; ")[2] for event in events] == [
        "kept layers 2 → 1",
        "kept layers 1 → 0",
        events[2].rpartition("; ")[2],
    ]
    assert "budget 300 →" in events[2]
    assert kept_layers(stepper.passes.model) == 0
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-7)


@given(
    fixed=st.integers(0, 1000),
    per_token=st.integers(1, 50),
    per_kept=st.integers(1, 50),
    layers=st.integers(1, 12),
    limit=st.integers(1, 5000),
    longest=st.integers(1, 20),
    start=st.integers(0, 100),
)
def test_no_allowed_choice_is_cheaper_than_the_chosen_one(
    fixed, per_token, per_kept, layers, limit, longest, start
):
    from kofinlaw.trainer.device.kept_layers import PassMemory, fastest_budget

    memory = PassMemory(fixed, per_token, per_kept, layers)
    most, step = 10 * longest, 40 * longest

    def cost(budget):
        return step + start * -(-step // budget)

    def fits(tokens, kept):
        return fixed + tokens * (per_token + kept * per_kept) <= limit

    tokens, kept = fastest_budget(memory, limit=limit, longest=longest, most=most, cost=cost)
    allowed = [(b, k) for b in range(longest, most + 1) for k in range(layers + 1) if fits(b, k)]
    if not allowed:
        assert (tokens, kept) == (longest, 0)
        return
    assert (tokens, kept) in allowed
    best = min((3 - k / layers) * cost(b) for b, k in allowed)
    assert (3 - kept / layers) * cost(tokens) == pytest.approx(best)


@pytest.fixture
def probing(stepping, monkeypatch):
    """A function that probes under a limit, with peaks by a formula instead of measured ones."""
    from kofinlaw.trainer import token_probe
    from kofinlaw.trainer.device.kept_layers import kept_layers

    monkeypatch.setattr(token_probe, "CPU_TOKENS", 4096)

    def probe(limit, **fields):
        passes = stepping(**fields).passes
        measured = []

        def peak(which, part, **_):
            tokens, kept = which.padded(part), kept_layers(which.model)
            measured.append((len(part), kept))
            return 10_000 + tokens * (10 + 30 * max(0, kept - 1))

        monkeypatch.setattr(token_probe, "_peak", peak)
        tokens, figures = token_probe.probe_budget(passes, limit=limit)
        return tokens, kept_layers(passes.model), figures, measured

    return probe


def test_spare_memory_keeps_layers_and_scarce_memory_keeps_none(probing):
    tokens, kept, figures, measured = probing(10**9)
    assert measured == [(1, 0), (2, 0), (1, LAYERS)]
    assert (kept, figures["kept_layers"]) == (LAYERS, LAYERS)
    assert figures["bytes_per_token_and_kept_layer"] == 30
    assert tokens > figures["longest_tokens"]
    longest = figures["longest_tokens"]
    tight = int((10_000 + longest * 12) / 0.95)  # the longest example, and little more
    tokens, kept, _, _ = probing(tight)
    assert kept == 0
    assert longest <= tokens < 1.3 * longest


def test_a_fixed_number_of_kept_layers_is_not_probed(probing):
    _, kept, figures, measured = probing(10**9, kept_layers=3)
    assert kept == 3
    assert "kept_layers" not in figures
    assert measured == [(1, 3), (2, 3)]


def test_a_run_that_keeps_layers_ends_with_the_same_weights_and_resumes(run, tmp_path):
    import torch
    from safetensors.torch import load_file

    def weights(name):
        return load_file(tmp_path / name / "adapter" / "adapter_model.safetensors")

    common = {"max_tokens_per_micro_batch": "auto", "checkpoint_steps": 1}
    run("plain", **common)
    run("kept", gradient_checkpointing=True, **common)
    plain, kept = weights("plain"), weights("kept")
    for name in plain:
        torch.testing.assert_close(kept[name], plain[name], rtol=1e-4, atol=1e-6)
    record = json.loads(
        next((tmp_path / "kept" / "checkpoints").glob("step-*/checkpoint.json")).read_text()
    )
    assert record["budget"]["kept"] == record["budget"]["probe"]["kept_layers"] == 2
    assert record["budget"]["kept_asked"] == "auto"


def test_a_checkpoints_kept_layers_are_used_again_unless_the_setting_changed(stepping):
    from kofinlaw.trainer.device.kept_layers import kept_layers
    from kofinlaw.trainer.token_budget import find_budget

    here = {"device": "cpu", "limit_gib": None}
    known = {"asked": 300, "where": here, "tokens": 300, "probe": {}, "kept_asked": "auto"}
    for more, kept in (({}, 0), ({"kept": 3}, 3), ({"kept": 3, "kept_asked": 1}, 0)):
        passes = stepping(max_tokens_per_micro_batch=300).passes
        found = find_budget(passes, limit=0, known={**known, **more}, halved=None, log_event=print)
        assert (found.tokens, kept_layers(passes.model)) == (300, kept)


def test_without_checkpointing_nothing_is_kept_or_refused():
    import torch

    from kofinlaw.trainer.device.kept_layers import keep_layers, kept_layers

    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    keep_layers(model, 0)
    assert kept_layers(model) == 0


def test_the_slope_of_the_probe_counts_the_tokens_that_the_second_example_adds(
    stepping, monkeypatch
):
    from kofinlaw.trainer import token_probe
    from kofinlaw.trainer.device.padding_free import why_padded
    from kofinlaw.trainer.passes import Passes

    padded = stepping(kept_layers=0, padding_free=True).passes
    assert not why_padded(padded.model, padded.examples, padded.settings, padded.ranks)
    joined = Passes(padded.model, padded.examples, padded.ranks, padded.settings, joined=True)
    monkeypatch.setattr(token_probe, "CPU_TOKENS", 4096)
    monkeypatch.setattr(token_probe, "_peak", lambda p, part, **_: 10_000 + 7 * p.padded(part))
    for passes in (padded, joined):
        assert token_probe.probe_budget(passes, limit=10**9)[1]["bytes_per_token"] == 7
