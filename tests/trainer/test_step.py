"""A step gives the ordinary loss and gradients, also for the model of the rank study.

OPT-350m, the model of that study, normalises after each block and embeds in half its width.
"""

import json
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "lora-rank-sweep.yaml"
# What facebook/opt-350m's config.json says and OPT's default config does not.
LIKE_350M = {"do_layer_norm_before": False, "word_embed_proj_dim": 16, "ffn_dim": 128}


def study(**changes):
    """The shipped recipe's own settings of training, some changed."""
    from kofinlaw.recipes.pipeline.schema import load_recipe

    recipe, _ = load_recipe(str(RECIPE))
    return recipe.train.model_validate(recipe.train.model_dump() | changes)


@pytest.fixture
def opt(build_model, tmp_path):
    return build_model(tmp_path / "opt", kind="opt", **LIKE_350M)


def adapted(folder, settings):
    """The base with the study's adapter, its B matrices moved off zero."""
    import torch

    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter, trainable

    base = load_model(folder, dtype="float32", device="cpu", for_training=True)
    model = attach_adapter(base, settings.lora, seed=1)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        base.get_output_embeddings().weight.mul_(20)  # logits that are not almost even
        for name, parameter in trainable(model):
            if "lora_B" in name:
                parameter.normal_(0, 0.1, generator=generator)
    return model


def ordinary_loss(model, rows, masks):
    """transformers' own loss of padded rows with an attention mask, as a sum over the targets."""
    import torch

    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    seen, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for b, (row, mask) in enumerate(zip(rows, masks, strict=True)):
        ids[b, : len(row)] = torch.from_numpy(row)
        seen[b, : len(row)] = 1
        labels[b, : len(row)][torch.from_numpy(mask)] = torch.from_numpy(row[mask])
    targets = sum(int(mask.sum()) for mask in masks)
    return model(input_ids=ids, attention_mask=seen, labels=labels).loss * targets


def test_the_studys_adapter_sits_on_query_key_and_value_alone(opt):
    from kofinlaw.trainer.adapter import trainable

    names = {name.split(".lora_")[0] for name, _ in trainable(adapted(opt, study()))}
    assert {name.rsplit(".", 1)[-1] for name in names} == {"q_proj", "k_proj", "v_proj"}
    assert len(names) == 3 * 2


@pytest.mark.parametrize("targets", [["q_proj", "k_proj", "v_proj"], "all-linear"])
def test_a_steps_loss_and_gradients_are_the_ordinary_ones(opt, targets):
    """`all-linear` puts adapters on the projections in and out of the embedding's width too."""
    import numpy as np
    import torch

    from kofinlaw.trainer.adapter import trainable
    from kofinlaw.trainer.encoding import Encoded
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.loss import check_head
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import open_ranks
    from kofinlaw.trainer.step import Stepper

    model = adapted(opt, study(lora={"rank": 4, "alpha": 16, "targets": targets}))
    model.train()
    vocabulary = model.config.vocab_size
    random = np.random.default_rng(3)
    rows = [random.integers(5, vocabulary, n) for n in (20, 13, 17)]
    masks = [np.arange(len(row)) >= len(row) // 2 for row in rows]
    count = sum(int(mask.sum()) for mask in masks)
    expected = ordinary_loss(model, rows, masks) / count
    expected.backward()
    wanted = {name: parameter.grad.clone() for name, parameter in trainable(model)}
    assert patch_lora_forward(model) == len(wanted) // 2
    check_head(model, torch.from_numpy(rows[0])[None], 4)
    passes = Passes(
        model,
        [Encoded(str(n), *pair) for n, pair in enumerate(zip(rows, masks, strict=True))],
        open_ranks(),
        study(head_chunk_rows=4),
    )
    # two passes, one of them padded
    stepper = Stepper(passes, seed=0, budget=40, log_event=print)
    result = stepper.gradients(0, range(3))
    assert result.micro_batches == 2
    assert result.loss == pytest.approx(expected.item(), rel=1e-5)
    for name, parameter in trainable(model):
        distance = (parameter.grad - wanted[name]).norm()
        assert distance <= 1e-5 * wanted[name].norm(), name


def test_the_recipe_trains_such_a_model(opt, examples, tmp_path):
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    # every step holds all 40 examples: the loss then falls without noise of the draw
    settings = study(max_steps=6, epochs=9, effective_batch=40, learning_rate=0.05)
    figures = train(settings, opt, examples, tmp_path / "out", template=template_for(opt), seed=42)
    lines = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").open()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert figures.unmoved_tensors == figures.frozen_changed == 0
    record = json.loads((tmp_path / "out" / "adapter" / "adapter_config.json").read_text())
    assert (record["r"], record["lora_alpha"], record["lora_dropout"]) == (8, 32, 0.1)


def test_gradients_before_and_after_an_evaluation_are_equal_on_four_bits(pico, examples, settings):
    import torch

    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.adapter import trainable
    from kofinlaw.trainer.encoding import encode_examples
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.step import Stepper
    from kofinlaw.trainer.trainee import load_trainee

    encode = load_tokenizer(pico).encode
    rows, _ = encode_examples(examples, template_for(pico), encode, max_length=512)
    ranks = Ranks(0, 1, torch.device("cpu"))
    chosen = settings(quantization="nf4", dtype="bfloat16", head_chunk_rows=8)
    model = load_trainee(chosen, pico, rows, ranks, seed=0).model
    for name, parameter in trainable(model):
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    stepper = Stepper(Passes(model, rows, ranks, chosen), seed=0, budget=300, log_event=print)

    def gradients():
        stepper.gradients(0, range(8))
        return {name: p.grad.clone() for name, p in trainable(model)}

    before = gradients()
    stepper.evaluate(range(8, 24))
    after = gradients()
    assert all(p.grad.dtype == torch.float32 for _, p in trainable(model))
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any(float(g.abs().max()) > 0 for g in before.values())
