"""One config.json for readers of transformers 4 and 5."""

from __future__ import annotations

import pytest

from kofinlaw.trainer.merge.config import readable_by_both

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}


def test_a_config_of_transformers_5_gets_the_keys_of_4():
    config = {"dtype": "bfloat16", "rope_parameters": {**LLAMA3, "rope_theta": 1e6}, "x": 1}
    assert readable_by_both(config, dtype="float16") == {
        "dtype": "float16",
        "torch_dtype": "float16",
        "rope_parameters": {**LLAMA3, "rope_theta": 1e6},
        "rope_theta": 1e6,
        "rope_scaling": LLAMA3,
        "x": 1,
    }


def test_a_config_of_transformers_4_gets_the_keys_of_5():
    config = {"torch_dtype": "bfloat16", "rope_theta": 5e5, "rope_scaling": None}
    both = readable_by_both(config, dtype="bfloat16")
    assert both["rope_parameters"] == {"rope_type": "default", "rope_theta": 5e5}
    assert both["rope_scaling"] is None


def test_local_and_global_rotation_are_kept_apart():
    parameters = {
        "full_attention": {"rope_type": "default", "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
    }
    both = readable_by_both({"rope_parameters": parameters}, dtype="bfloat16")
    assert (both["rope_theta"], both["rope_local_base_freq"]) == (1e6, 1e4)
    old = {key: value for key, value in both.items() if key != "rope_parameters"}
    assert readable_by_both(old, dtype="bfloat16")["rope_parameters"] == parameters


@pytest.mark.parametrize("scaling", [None, LLAMA3])
def test_transformers_reads_the_same_rotation_from_either_form(scaling):
    from transformers import LlamaConfig

    shape = {"hidden_size": 64, "num_attention_heads": 4, "max_position_embeddings": 256}
    scaling = {**scaling, "original_max_position_embeddings": 64} if scaling else None
    old = {**shape, "rope_theta": 2e5, "rope_scaling": scaling}
    both = readable_by_both(old, dtype="bfloat16")
    assert LlamaConfig(**both).rope_parameters == LlamaConfig(**old).rope_parameters
    assert LlamaConfig(**both).rope_parameters["rope_theta"] == 2e5
