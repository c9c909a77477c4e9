"""How much of a card vLLM takes, and how many sequences it writes at once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.engines.vllm_memory import (
    MOST_SEQUENCES,
    sequences_at_once,
    share_of_card,
)
from kofinlaw.models.memory.card_memory import CardMemory
from kofinlaw.models.settings import EngineSettings
from kofinlaw.units import GIB

EXAONE = {
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "hidden_size": 4096,
}


def card(free, total=23.5):
    return CardMemory(int(free * GIB), int(total * GIB))


def vllm(**settings):
    return EngineSettings(engine="vllm", **settings)


@pytest.mark.parametrize(
    ("free", "share"),
    [(23.2, 0.92), (20.7, 0.81), (12.0, 0.44), (1.6, 0.0)],
)
def test_the_share_is_what_is_free_less_the_reserve(free, share):
    if share:
        assert share_of_card(vllm(), card(free)) == share
        # vLLM starts only if its share of the total is free.
        assert share * 23.5 <= free - 1.5 + 1e-9
    else:
        with pytest.raises(UserError, match="are free"):
            share_of_card(vllm(), card(free))


def test_a_configured_share_is_kept_or_refused_with_the_figures():
    assert share_of_card(vllm(gpu_memory_share=0.5), card(20)) == 0.5
    with pytest.raises(UserError, match=r"21\.2 GiB, but 20\.7 of 23\.5 GiB are free") as caught:
        share_of_card(vllm(gpu_memory_share=0.9), card(20.7))
    assert "0.81" in str(caught.value)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(EXAONE))
    with open(tmp_path / "model.safetensors", "wb") as file:
        file.truncate(int(14.6 * GIB))  # a sparse file: it takes no disk
    return tmp_path


def test_sequences_follow_the_memory_and_the_settings(folder):
    settings = vllm(context_tokens=4096)
    # 0.92 of 23.5 GiB less 14.6 of weights and 1.5: 5.5 GiB, a quarter GiB each 2,048 tokens.
    assert sequences_at_once(settings, folder, 0.92, card(23.2)) == 22
    four = sequences_at_once(vllm(quantization="nf4"), folder, 0.92, card(23.2))
    assert four == 64
    assert sequences_at_once(vllm(max_sequences=5), folder, 0.92, card(23.2)) == 5
    assert sequences_at_once(settings, folder, 0.3, card(23.2)) == 1
    small = {"text_config": {**EXAONE, "head_dim": 64}}  # as multimodal models write it
    (folder / "config.json").write_text(json.dumps(small))
    assert sequences_at_once(settings, folder, 0.92, card(23.2)) == 44
    (folder / "config.json").write_text("{}")
    assert sequences_at_once(settings, folder, 0.92, card(23.2)) == MOST_SEQUENCES
    assert sequences_at_once(settings, folder, 0.92, None) == MOST_SEQUENCES
    (folder / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json"):
        sequences_at_once(settings, folder, 0.92, card(23.2))


@given(st.floats(0.01, 80), st.floats(1, 80))
def test_a_share_is_always_free_with_its_reserve(free, total):
    one = card(min(free, total), total)
    try:
        share = share_of_card(vllm(), one)
    except UserError:
        assert one.free < 1.5 * GIB + 0.01 * one.total + 1
    else:
        assert 0 < share <= 0.95
        assert share * one.total <= one.free
