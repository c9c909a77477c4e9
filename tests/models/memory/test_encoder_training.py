"""The memory of training encoders: the saved tensors of a layer are those that autograd saves."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import torch

from kofinlaw.models.catalogue import ModelCard, find_model
from kofinlaw.models.memory.encoder_training import (
    body_parameters,
    encoder_training_terms,
    saved_bytes,
    search_terms,
    static_training_terms,
)

E5 = "intfloat/multilingual-e5-small"


@pytest.mark.parametrize("half", [True, False])
def test_a_layer_saves_what_is_planned(half: bool) -> None:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=50, hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=256,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    model.embeddings.requires_grad_(False)
    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    texts, length = 8, 48
    ids = torch.randint(1, 50, (texts, length))
    seen: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    products = torch.autocast("cpu", dtype=torch.bfloat16)
    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, products if half else contextlib.nullcontext():
        kept = model.train()(input_ids=ids, attention_mask=torch.ones_like(ids))
    card = ModelCard("pico", layers=2, hidden=64, intermediate=256, heads=4)
    planned = 2 * texts * length * saved_bytes(card, length, half=half, gpu=False)
    planned += 2 * body_parameters(card) if half else 0
    assert kept.last_hidden_state.requires_grad
    assert sum(seen.values()) == pytest.approx(planned, rel=0.12)


def test_the_layers_of_a_known_model_are_counted() -> None:
    card = find_model(E5)
    assert body_parameters(card) == pytest.approx(21_293_568, rel=0.001)
    assert body_parameters(card, 6) == body_parameters(card) / 2


def test_smaller_passes_and_a_card_need_less() -> None:
    card = find_model(E5)

    def total(columns: list[tuple[int, int]], **values: bool) -> float:
        trained = body_parameters(card)
        return sum(encoder_training_terms(card, columns, trained=trained, **values).values())

    whole = [(32, 96), (32, 160), (32, 160)]
    assert total([(8, 160)], gpu=False) < total(whole, gpu=False) / 2
    assert total(whole, gpu=True) < total(whole, gpu=False)
    assert total(whole, half=False, gpu=False) > total(whole, gpu=False)
    static = sum(static_training_terms(card, 17_847, [(256, 500)]).values())
    assert static < total([(8, 160)], gpu=False)
    assert sum(search_terms(0).values()) == 0


def test_a_table_grows_with_its_rows(tmp_path: Path) -> None:
    card = find_model(E5)
    few, many = (static_training_terms(card, rows, [(256, 500)]) for rows in (1_000, 100_000))
    assert sum(many.values()) - sum(few.values()) == pytest.approx(99_000 * 384 * 16 / 2**30)
