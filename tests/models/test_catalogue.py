from __future__ import annotations

import datetime
import json

import pytest

from kofinlaw import UserError
from kofinlaw.models.catalogue import (
    SHAPE_KEYS,
    all_models,
    card_from_config,
    estimate_parameters,
    find_model,
    licenses,
    recognise_folder,
)


@pytest.mark.parametrize(
    "misquote,real",
    [
        ("LG-AI-EXAONE/EXAONE-3.5-7.8B-Instruct", "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"),
        ("beomi/SOLAR-10.7B", "upstage/SOLAR-10.7B-v1.0"),
        ("QWEN2.5-7B", "Qwen/Qwen2.5-7B-Instruct"),
        ("gemma-3-270m", "google/gemma-3-270m"),
        ("bge-m3-korean", "upskyy/bge-m3-korean"),
    ],
)
def test_misquotes_lead_to_the_real_id(misquote, real):
    assert find_model(misquote).id == real


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UserError, match="no model") as error:
        find_model("Qwen/Qwen2.5-7B-Instrukt")
    assert "Qwen/Qwen2.5-7B-Instruct" in error.value.remedy


def test_names_and_misquotes_are_unique():
    names = [n for card in all_models() for n in {a.lower() for a in (card.id, *card.aliases)}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("card", [c for c in all_models() if c.layers and c.role == "llm"])
def test_the_shape_adds_up_to_the_parameters(card):
    if card.family == "opt":
        pytest.skip("its embedding is narrower than its layers")
    shape = {key: getattr(card, key) for key in (*SHAPE_KEYS, "head_dim", "tied", "gated")}
    assert estimate_parameters(shape) == pytest.approx(card.parameters, rel=5e-4)


@pytest.mark.parametrize("card", all_models(), ids=lambda card: card.id)
def test_dates_are_days_and_licences_are_known(card):
    if card.released:
        datetime.date.fromisoformat(card.released)
    if card.license:
        assert card.license in licenses()
    assert card.released or card.notes or card.refused


@pytest.mark.parametrize(
    "id,config",
    [
        (
            "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct",
            {"model_type": "exaone", "num_layers": 32, "hidden_size": 4096},
        ),
        ("upstage/SOLAR-10.7B-v1.0", {"num_hidden_layers": 48, "hidden_size": 4096}),
    ],
)
def test_a_folder_is_recognised_by_its_shape(tmp_path, id, config):
    card = find_model(id)
    config = {
        "model_type": card.model_type,
        "intermediate_size": card.intermediate,
        "num_attention_heads": card.heads,
        "num_key_value_heads": card.kv_heads,
        "vocab_size": card.vocab,
        "max_position_embeddings": card.context,
        "_name_or_path": id,
        **config,
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert find_model(tmp_path) == card


@pytest.mark.parametrize(
    "config", [{"model_type": "bert"}, {"model_type": "llama", "vocab_size": 0}]
)
def test_a_folder_without_a_shape_is_no_model_of_the_catalogue(tmp_path, config):
    """Some cards have no shape either, and an unknown folder would get their licence and day."""
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert recognise_folder(tmp_path) is None
    assert find_model(tmp_path).license == ""


def test_a_converted_copy_keeps_its_licence_and_gets_its_new_layers(tmp_path):
    card = find_model("LGAI-EXAONE/EXAONE-3.5-2.4B-Instruct")
    config = {
        "model_type": "llama",
        "num_hidden_layers": card.layers,
        "hidden_size": card.hidden,
        "intermediate_size": card.intermediate,
        "num_attention_heads": card.heads,
        "num_key_value_heads": card.kv_heads,
        "vocab_size": card.vocab,
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    found = recognise_folder(tmp_path)
    assert found is not None
    assert (found.id, found.license) == (card.id, "EXAONE-1.1-NC")
    assert found.lora_targets[:2] == ("q_proj", "k_proj")
    assert "gate_proj" in found.lora_targets


def test_an_unknown_folder_gets_a_card_without_licence(llama):
    card = find_model(llama)
    assert card == card_from_config(llama)
    assert (card.layers, card.hidden, card.heads, card.kv_heads, card.head_dim) == (2, 32, 4, 2, 8)
    assert (card.license, card.released) == ("", "")
    from kofinlaw.models.loading import load_model

    real = sum(weight.numel() for weight in load_model(llama).parameters())
    assert card.parameters == real


def test_the_misquoted_names_find_their_model():
    assert (
        find_model("LG-AI-EXAONE/EXAONE-3.0-7.8B-Instruct").id
        == "LGAI-EXAONE/EXAONE-3.0-7.8B-Instruct"
    )
    assert find_model("beomi/SOLAR-10.7B").id == "upstage/SOLAR-10.7B-v1.0"


@pytest.mark.parametrize("wrong", ["크다", True, 640.5, {"value": 640}])
@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "sliding_window", "head_dim"])
def test_a_config_value_that_is_no_whole_number_is_named(tmp_path, key, wrong):
    shape = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    (tmp_path / "config.json").write_text(json.dumps({**shape, key: wrong}))
    for read in (recognise_folder, card_from_config):
        with pytest.raises(UserError, match=f"{key} is ") as error:
            read(tmp_path)
        assert "config.json" in str(error.value.where)


@pytest.mark.parametrize("absent", [None, False, [64, 128]])
def test_a_config_value_that_is_absent_or_differs_by_layer_counts_as_none(tmp_path, absent):
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": absent}))
    assert recognise_folder(tmp_path) is None
    assert card_from_config(tmp_path).hidden == 0
