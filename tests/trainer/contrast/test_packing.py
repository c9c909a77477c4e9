"""A model whose attention does not follow the mask gets a row for each option."""

import pytest

from kofinlaw import UserError


@pytest.fixture
def encoded(pico, choices):
    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.encoding import encode_examples

    encode = load_tokenizer(pico).encode
    return encode_examples(
        choices, template_for(pico), encode, max_length=512, objective="contrast"
    )[0]


@pytest.fixture
def model(pico):
    from kofinlaw.models.loading import load_model

    return load_model(pico, dtype="float32", for_training=True)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_the_pico_model_packs_exactly_and_stays_in_its_mode(
    pico, encoded, settings, dtype, quantization
):
    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.contrast.packing import why_not_packed

    model = load_model(pico, dtype=dtype, quantization=quantization, for_training=True)
    model.train()
    assert why_not_packed(model, encoded, settings()) == ""
    assert model.training


def test_a_model_that_drops_the_mask_is_noticed(model, encoded, settings, monkeypatch):
    from kofinlaw.trainer import loss
    from kofinlaw.trainer.contrast.packing import why_not_packed

    monkeypatch.setattr(loss, "layer_masks", lambda model, layout: None)
    assert "packed and separate states differ" in why_not_packed(model, encoded, settings())
    with pytest.raises(UserError, match="packed options are not exact"):
        why_not_packed(model, encoded, settings(contrast={"rows": "packed"}))
    assert why_not_packed(model, [e for e in encoded if e.choice is None], settings()) == ""


def test_a_model_that_refuses_the_mask_is_noticed(model, encoded, settings, monkeypatch):
    from kofinlaw.trainer import loss
    from kofinlaw.trainer.contrast.packing import why_not_packed

    def refuse(model, layout):
        raise ValueError("only 2 dimensions")

    monkeypatch.setattr(loss, "layer_masks", refuse)
    assert "only 2 dimensions" in why_not_packed(model, encoded, settings())


def test_an_option_that_sees_another_one_is_noticed(model, encoded, settings, monkeypatch):
    """The positions are right and the prompt is seen, but so is the option before."""
    from kofinlaw.trainer.contrast.attention import RowLayout
    from kofinlaw.trainer.contrast.packing import why_not_packed

    monkeypatch.setattr(RowLayout, "visible", lambda layout, window=None: layout_of(layout))

    def layout_of(layout):
        import torch

        size = layout.own.shape[-1]
        seen = torch.ones(size, size, dtype=torch.bool).tril()
        return seen.expand(len(layout.own), 1, size, size)

    assert why_not_packed(model, encoded, settings()) != ""
