"""A random EXAONE checkpoint of its published shape, and the merge tests' pico models."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file


def load_models():
    path = Path(__file__).parents[1] / "merge" / "conftest.py"
    spec = importlib.util.spec_from_file_location("merge_fixtures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shared = load_models()
pico, llama, plain_adapter = shared.pico, shared.llama, shared.plain_adapter

CONFIG = {
    "_name_or_path": "pico",
    "activation_function": "silu",
    "architectures": ["ExaoneForCausalLM"],
    "attention_dropout": 0.0,
    "auto_map": {
        "AutoConfig": "configuration_exaone.ExaoneConfig",
        "AutoModelForCausalLM": "modeling_exaone.ExaoneForCausalLM",
    },
    "bos_token_id": 1,
    "embed_dropout": 0.0,
    "eos_token_id": 2,
    "hidden_size": 48,
    "initializer_range": 0.02,
    "intermediate_size": 80,
    "layer_norm_epsilon": 1e-05,
    "max_position_embeddings": 128,
    "model_type": "exaone",
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "num_layers": 3,
    "pad_token_id": 0,
    "rope_scaling": None,
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "float32",
    "transformers_version": "4.43.1",
    "use_cache": True,
    "vocab_size": 96,
}


def write(folder, *, shards=1, **changes):
    """A random EXAONE of its published shape; returns its config and weights."""
    folder.mkdir(parents=True)
    config = {**CONFIG, **changes}
    generator = torch.Generator().manual_seed(3)
    width, inner = config["hidden_size"], config["intermediate_size"]
    keys = width // config["num_attention_heads"] * config["num_key_value_heads"]
    shapes = {"transformer.wte.weight": (config["vocab_size"], width)}
    for n in range(config["num_layers"]):
        stem = f"transformer.h.{n}"
        shapes |= {
            f"{stem}.ln_1.weight": (width,),
            f"{stem}.attn.attention.q_proj.weight": (width, width),
            f"{stem}.attn.attention.k_proj.weight": (keys, width),
            f"{stem}.attn.attention.v_proj.weight": (keys, width),
            f"{stem}.attn.attention.out_proj.weight": (width, width),
            f"{stem}.ln_2.weight": (width,),
            f"{stem}.mlp.c_fc_0.weight": (inner, width),
            f"{stem}.mlp.c_fc_1.weight": (inner, width),
            f"{stem}.mlp.c_proj.weight": (width, inner),
        }
    shapes["transformer.ln_f.weight"] = (width,)
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (config["vocab_size"], width)
    weights = {
        name: torch.randn(shape, generator=generator) * (0.3 if len(shape) == 2 else 0.1)
        + (len(shape) == 1)
        for name, shape in shapes.items()
    }
    save_sharded(folder, weights, shards)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "generation_config.json").write_text('{"eos_token_id": 2}')
    (folder / "tokenizer.json").write_text('{"version":"1.0"}')
    (folder / "tokenizer_config.json").write_text('{"eos_token": "[|endofturn|]"}')
    (folder / "LICENSE").write_text("EXAONE AI Model License Agreement 1.1 - NC\n")
    (folder / "modeling_exaone.py").write_text("raise SystemExit('must not run')\n")
    return config, weights


def save_sharded(folder, weights, shards):
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names, where = sorted(weights), {}
    for n in range(shards):
        file = f"model-{n + 1:05}-of-{shards:05}.safetensors"
        part = names[n::shards]
        save_file({k: weights[k] for k in part}, folder / file, metadata={"format": "pt"})
        where |= dict.fromkeys(part, file)
    size = sum(w.numel() * 4 for w in weights.values())
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(where.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


@pytest.fixture(scope="session")
def write_exaone():
    """The function that writes a random EXAONE and returns its config and weights."""
    return write
