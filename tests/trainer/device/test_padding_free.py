"""Examples end to end in one row: the step is the padded step, for every cut and every packing."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError

SIZES = st.lists(st.integers(2, 12), min_size=1, max_size=8)


@given(SIZES, st.integers(0, 2**32 - 1))
def test_joined_rows_hold_the_tokens_targets_and_positions_of_padded_ones(sizes, seed):
    from kofinlaw.trainer.batching import pad_micro_batch
    from kofinlaw.trainer.device.padding_free import join_rows

    random = np.random.default_rng(seed)
    rows = [random.integers(1, 90, n) for n in sizes]
    masks = [np.concatenate([[False], random.random(n - 1) < 0.5]) for n in sizes]
    ids, sources, targets, places, ends = join_rows(rows, masks)
    padded, _, wanted = pad_micro_batch(rows, masks)
    assert np.array_equal(targets, wanted)
    assert np.array_equal(ids[0, sources + 1], targets)
    assert ends.tolist() == [0, *np.cumsum(sizes)]
    assert ids.shape == places.shape == (1, sum(sizes))
    for number, (start, end) in enumerate(itertools.pairwise(ends)):
        assert np.array_equal(ids[0, start:end], padded[number, : end - start])
        assert places[0, start:end].tolist() == list(range(end - start))


@given(SIZES, st.integers(1, 40))
def test_a_split_holds_each_example_once_and_no_two_passes_fit_into_one(sizes, budget):
    from kofinlaw.trainer.device.padding_free import split_joined

    passes = split_joined(range(len(sizes)), sizes, budget)
    assert sorted(i for part in passes for i in part) == list(range(len(sizes)))
    filled = [sum(sizes[i] for i in part) for part in passes]
    assert all(n <= budget or len(part) == 1 for n, part in zip(filled, passes, strict=True))
    for a in range(len(passes)):
        for b in range(a):
            assert filled[a] + filled[b] > budget


@pytest.fixture
def stepping(build_model, examples, settings, tmp_path):
    """A function that makes padded and joined passes over a model of a kind, B moved off zero."""
    import torch

    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.adapter import trainable
    from kofinlaw.trainer.device.padding_free import why_padded
    from kofinlaw.trainer.encoding import encode_examples
    from kofinlaw.trainer.noise import EmbeddingNoise
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.trainee import load_trainee

    def make(kind, *, joined, shape=(), **fields):
        folder = build_model(tmp_path / kind, kind=kind, **dict(shape))
        encode = load_tokenizer(folder).encode
        rows, _ = encode_examples(examples, template_for(folder), encode, max_length=512)
        ranks = Ranks(0, 1, torch.device("cpu"))
        chosen = settings(padding_free=joined, head_chunk_rows=8, **fields)
        model = load_trainee(chosen, folder, rows, ranks, seed=0).model
        with torch.no_grad():
            for name, parameter in trainable(model):
                if "lora_B" in name:
                    parameter.normal_(0, 0.1, generator=torch.Generator().manual_seed(5))
        alpha = chosen.neftune_alpha
        noise = None if alpha is None else EmbeddingNoise(model, alpha, seed=1)
        padded = why_padded(model, rows, chosen, ranks)
        assert bool(padded) is not joined
        return Passes(model, rows, ranks, chosen, noise=noise, joined=joined)

    return make


def step(passes, budget):
    """The result of a step over eight examples, and its gradients."""
    from kofinlaw.trainer.adapter import trainable
    from kofinlaw.trainer.step import Stepper

    stepper = Stepper(passes, seed=0, budget=budget, log_event=print)
    result = stepper.gradients(3, range(8))
    return result, {name: p.grad.clone() for name, p in trainable(passes.model)}


KINDS = [
    ("llama", {}),
    ("qwen2", {}),
    ("gemma3_text", {}),  # every other layer sees 16 tokens back
    ("llama", {"neftune_alpha": 5.0}),
    ("llama", {"gradient_checkpointing": True, "kept_layers": 1}),
]


@pytest.mark.parametrize(("kind", "more"), KINDS)
def test_every_cut_of_a_joined_step_gives_the_gradients_of_the_padded_step(kind, more, stepping):
    expected, wanted = step(stepping(kind, joined=False, **more), 4096)
    passes = stepping(kind, joined=True, **more)
    lengths = passes.lengths[:8]
    assert max(lengths) > 1.5 * min(lengths)
    seen = set()
    for budget in (1, 140, 220, 330, sum(lengths)):
        result, found = step(passes, budget)
        seen.add(result.micro_batches)
        assert result.padded == result.tokens == sum(lengths)
        assert result.loss == pytest.approx(expected.loss, rel=1e-5)
        for name, gradient in found.items():
            distance = (gradient - wanted[name]).norm()
            assert distance <= 1e-5 * wanted[name].norm(), (budget, name)
    assert {1, 8} <= seen
    assert len(seen) >= 4


def test_the_loss_of_an_example_does_not_depend_on_its_neighbours(stepping):
    import torch

    passes = stepping("llama", joined=True)
    random = np.random.default_rng(0)
    with torch.no_grad():
        alone = [float(passes.loss([i]).text) for i in range(6)]
        for _ in range(10):
            part = random.permutation(6)[: random.integers(2, 7)].tolist()
            assert float(passes.loss(part).text) == pytest.approx(
                sum(alone[i] for i in part), rel=1e-5
            )


def test_a_model_whose_attention_caps_scores_is_padded_and_keeps_its_attention(stepping):
    with pytest.raises(UserError, match="cannot be laid end to end: the model refuses") as caught:
        stepping("gemma2", joined=True)
    assert caught.value.where == "train.padding_free"


def test_why_padded_says_the_reason_and_leaves_the_model_unchanged(stepping, settings):
    import torch

    from kofinlaw.trainer.device.padding_free import why_padded
    from kofinlaw.trainer.ranks import Ranks

    passes = stepping("gemma2", joined=False)
    model, rows, cpu = passes.model, passes.examples, torch.device("cpu")

    def why(ranks=None, **fields):
        return why_padded(model, rows, settings(**fields), ranks or Ranks(0, 1, cpu))

    assert why() == "the device is a processor"
    assert why(padding_free=False) == "train.padding_free is false"
    for more, reason in (
        ({"attention": "eager"}, "train.attention is eager"),
        ({"ranks": Ranks(0, 2, cpu, sharded=True)}, "the model is sharded over processes"),
        ({}, "capped scores"),
    ):
        with pytest.raises(UserError, match=reason):
            why(padding_free=True, **more)
    assert model.get_base_model().config._attn_implementation == "eager"


def test_items_to_choose_from_are_padded(run, choices):
    with pytest.raises(UserError, match="items to choose from have rows of their own"):
        run(data=choices, objective="contrast", padding_free=True)


def test_a_joined_run_has_no_padding_resumes_bit_for_bit_and_ends_with_the_same_weights(
    run, tmp_path
):
    import torch
    from safetensors.torch import load_file

    def weights(name):
        return load_file(tmp_path / name / "adapter" / "adapter_model.safetensors")

    class CutError(Exception):
        """Ends a run as a kill would."""

    def end(step, number):
        if step == 2:
            raise CutError

    common = {
        "max_tokens_per_micro_batch": 300,
        "checkpoint_steps": 1,
        "evaluation_share": 0.1,
        "evaluation_steps": 2,
    }
    padded = run("padded", **common)
    whole = run("whole", padding_free=True, **common)
    with pytest.raises(CutError):
        run("cut", padding_free=True, on_micro_batch=end, **common)
    assert run("cut", padding_free=True, **common).resumed_from == 2
    assert padded.padding > 0 == whole.padding
    assert whole.evaluation_loss == pytest.approx(padded.evaluation_loss, rel=1e-4)
    for name, tensor in weights("whole").items():
        assert torch.equal(weights("cut")[name], tensor)
        torch.testing.assert_close(tensor, weights("padded")[name], rtol=1e-3, atol=1e-5)
    lines = (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()
    assert {json.loads(line)["padding"] for line in lines} == {0.0}


def test_the_setting_is_part_of_the_fingerprint(settings):
    import torch

    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.resume import run_fingerprints

    ranks = Ranks(0, 1, torch.device("cpu"))
    found = {
        run_fingerprints(settings(padding_free=value), ranks, seed=1)["settings"]
        for value in ("auto", True, False)
    }
    assert len(found) == 3
