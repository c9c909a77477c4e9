"""EXAONE 3.x converted to Llama and back, against EXAONE's published formulas."""

from __future__ import annotations

import json
import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.trainer.convert.model_conversion import exaone_to_llama, llama_to_exaone

LLAMA3 = {
    "factor": 8.0,
    "high_freq_factor": 4.0,
    "low_freq_factor": 1.0,
    "original_max_position_embeddings": 16,
    "rope_type": "llama3",
}


def rms_norm(x, weight, epsilon):
    return weight * x * torch.rsqrt((x * x).mean(-1, keepdim=True) + epsilon)


def frequencies(config):
    """Inverse frequencies of the rotary embedding, with llama3's stretching where asked."""
    size = config["hidden_size"] // config["num_attention_heads"]
    inverse = [config["rope_theta"] ** (-2 * i / size) for i in range(size // 2)]
    scaling = config["rope_scaling"]
    if scaling is None:
        return torch.tensor(inverse)
    out = []
    for value in inverse:
        length = 2 * math.pi / value
        window = scaling["original_max_position_embeddings"]
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        if length < window / high:
            out.append(value)
        elif length > window / low:
            out.append(value / scaling["factor"])
        else:
            share = (window / length - low) / (high - low)
            out.append((1 - share) * value / scaling["factor"] + share * value)
    return torch.tensor(out)


def rotate(x, config):
    """Each head's halves turned by position: (a, b) -> (a cos - b sin, b cos + a sin)."""
    angles = torch.arange(x.shape[1])[:, None] * frequencies(config)[None]
    a, b = x.chunk(2, dim=-1)
    return torch.cat(
        [a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], dim=-1
    )


def exaone_logits(config, weights, ids):
    """EXAONE 3.x as its paper and loaders describe it, in float32."""
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    epsilon = config["layer_norm_epsilon"]
    x = weights["transformer.wte.weight"][ids]
    length, width = x.shape
    size = width // heads
    for n in range(config["num_layers"]):
        w = {k.split(f"transformer.h.{n}.", 1)[-1]: v for k, v in weights.items()}
        y = rms_norm(x, w["ln_1.weight"], epsilon)
        q, k, v = (
            (y @ w[f"attn.attention.{kind}_proj.weight"].T).view(length, -1, size).transpose(0, 1)
            for kind in "qkv"
        )
        q, k = rotate(q, config), rotate(k, config)
        k, v = (t.repeat_interleave(heads // groups, dim=0) for t in (k, v))
        scores = q @ k.transpose(1, 2) / math.sqrt(size)
        scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(0, 1).reshape(length, width)
        x = x + y @ w["attn.attention.out_proj.weight"].T
        y = rms_norm(x, w["ln_2.weight"], epsilon)
        gate = y @ w["mlp.c_fc_0.weight"].T
        y = gate * torch.sigmoid(gate) * (y @ w["mlp.c_fc_1.weight"].T)
        x = x + y @ w["mlp.c_proj.weight"].T
    x = rms_norm(x, weights["transformer.ln_f.weight"], epsilon)
    head = "transformer.wte.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    return x @ weights[head].T


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("scaling", [None, LLAMA3], ids=["plain", "llama3"])
@pytest.mark.parametrize("groups", [2, 6])
def test_the_converted_model_gives_exaone_s_logits(tmp_path, scaling, tied, groups, write_exaone):
    config, weights = write_exaone(
        tmp_path / "exaone",
        rope_scaling=scaling,
        tie_word_embeddings=tied,
        num_key_value_heads=groups,
    )
    exaone_to_llama(tmp_path / "exaone", tmp_path / "llama")
    ids = torch.randint(3, 96, (70,), generator=torch.Generator().manual_seed(1))
    expected = exaone_logits(config, weights, ids)
    with torch.no_grad():
        found = load_model(tmp_path / "llama", dtype="float32")(ids[None]).logits[0]
    assert torch.allclose(found, expected, atol=2e-4, rtol=1e-4)
    assert torch.equal(found.argmax(-1), expected.argmax(-1))


def test_the_logits_depend_on_rope_scaling(tmp_path, write_exaone):
    """A widely copied script drops rope_scaling; that must change the logits."""
    config, weights = write_exaone(tmp_path / "exaone", rope_scaling=LLAMA3)
    ids = torch.arange(3, 73)
    with_scaling = exaone_logits(config, weights, ids)
    without = exaone_logits({**config, "rope_scaling": None}, weights, ids)
    assert (with_scaling - without).abs().max() > 0.05


@pytest.mark.parametrize("shards", [1, 3])
def test_there_and_back_is_byte_identical(tmp_path, shards, write_exaone):
    write_exaone(tmp_path / "a", shards=shards, rope_scaling=LLAMA3)
    converted = exaone_to_llama(tmp_path / "a", tmp_path / "b")
    assert (converted.tensors, converted.shards) == (9 * 3 + 3, shards)
    llama_to_exaone(tmp_path / "b", tmp_path / "c")
    for path in sorted((tmp_path / "a").iterdir()):
        if path.suffix != ".py":
            assert (tmp_path / "c" / path.name).read_bytes() == path.read_bytes(), path.name
    assert not (tmp_path / "c" / "kofinlaw-convert.json").exists()


def test_names_config_and_files_of_the_llama(tmp_path, write_exaone):
    _, weights = write_exaone(tmp_path / "exaone", rope_scaling=LLAMA3)
    exaone_to_llama(tmp_path / "exaone", tmp_path / "llama")
    llama = load_file(tmp_path / "llama" / "model.safetensors")
    assert torch.equal(
        llama["model.layers.2.mlp.down_proj.weight"],
        weights["transformer.h.2.mlp.c_proj.weight"],
    )
    config = json.loads((tmp_path / "llama" / "config.json").read_text())
    assert "auto_map" not in config
    assert config["rms_norm_eps"] == 1e-05
    assert config["rope_scaling"] == LLAMA3
    assert config["rope_parameters"] == {**LLAMA3, "rope_theta": 500000.0}
    assert (config["head_dim"], config["hidden_act"], config["attention_bias"]) == (
        8,
        "silu",
        False,
    )
    assert not list((tmp_path / "llama").glob("*.py"))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json", "LICENSE"):
        made, given = tmp_path / "llama" / name, tmp_path / "exaone" / name
        assert made.read_bytes() == given.read_bytes()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"qk_norm": True}, "does not know: qk_norm"),
        ({"layer_norm_epsilon": ...}, "lacks layer_norm_epsilon"),
        ({"rope_theta": ...}, "lacks rope_theta"),
        ({"rope_scaling": ...}, "lacks rope_scaling"),
        ({"tie_word_embeddings": ...}, "lacks tie_word_embeddings"),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, "missing low_freq_factor"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 8.0}}, "is not supported"),
        ({"embed_dropout": 0.1}, "embed_dropout is 0.1"),
        ({"model_type": "exaone4"}, "not 'exaone'"),
        ({"num_layers": 4}, "9 tensors missing"),
        ({"num_layers": 2}, "9 too many"),
        ({"num_key_value_heads": 3}, "by the config it must be"),
    ],
)
def test_unknown_and_missing_config_values_are_refused(tmp_path, change, message, write_exaone):
    write_exaone(tmp_path / "exaone")
    config = {
        k: v
        for k, v in {**json.loads((tmp_path / "exaone/config.json").read_text()), **change}.items()
        if v is not ...
    }
    (tmp_path / "exaone" / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=message):
        exaone_to_llama(tmp_path / "exaone", tmp_path / "llama")
    assert not (tmp_path / "llama").exists()


def test_computed_buffers_are_dropped(tmp_path, write_exaone):
    config, weights = write_exaone(tmp_path / "exaone")
    extra = {f"transformer.h.{n}.attn.attention.rotary.inv_freq": torch.ones(4) for n in range(3)}
    save_file({**weights, **extra}, tmp_path / "exaone" / "model.safetensors")
    exaone_to_llama(tmp_path / "exaone", tmp_path / "llama")
    ids = torch.arange(3, 43)
    with torch.no_grad():
        found = load_model(tmp_path / "llama", dtype="float32")(ids[None]).logits[0]
    assert torch.allclose(found, exaone_logits(config, weights, ids), atol=2e-4, rtol=1e-4)


def test_bad_targets_and_pickles_are_refused(tmp_path, write_exaone):
    write_exaone(tmp_path / "exaone")
    with pytest.raises(UserError, match="inside the source"):
        exaone_to_llama(tmp_path / "exaone", tmp_path / "exaone" / "llama")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        exaone_to_llama(tmp_path / "exaone", tmp_path / "full")
    (tmp_path / "exaone" / "model.safetensors").rename(tmp_path / "exaone" / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickles"):
        exaone_to_llama(tmp_path / "exaone", tmp_path / "llama")


def test_a_truncated_shard_leaves_nothing(tmp_path, write_exaone):
    write_exaone(tmp_path / "exaone", shards=3)
    shard = sorted((tmp_path / "exaone").glob("*.safetensors"))[1]
    shard.write_bytes(shard.read_bytes()[:-8])
    with pytest.raises(UserError, match="truncated or corrupt"):
        exaone_to_llama(tmp_path / "exaone", tmp_path / "llama")
    assert [path.name for path in tmp_path.iterdir()] == ["exaone"]
