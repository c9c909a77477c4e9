"""The merge against peft's own sum, and what travels with the weights."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.trainer.base_identity import weight_files
from kofinlaw.trainer.merge.merge_model import merge


def tensors_of(folder):
    found = {}
    for path in weight_files(folder):
        found |= load_file(path)
    return found


def peft_sum(base, adapter, dtype=torch.bfloat16):
    """What peft computes in float32 on the 16-bit base, rounded once."""
    model = load_model(base, dtype="float32", adapter=adapter)
    merged = model.merge_and_unload().state_dict()
    return {name: value.to(dtype) for name, value in merged.items()}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_merging_on_the_original_equals_peft_in_float32(tmp_path, llama, plain_adapter, dtype):
    merge(plain_adapter, llama, tmp_path / "out", base="original", dtype=dtype)
    expected = peft_sum(llama, plain_adapter, getattr(torch, dtype))
    merged = tensors_of(tmp_path / "out")
    assert set(merged) == set(expected)
    assert all(torch.equal(merged[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"use_rslora": True},
        {"use_dora": True},
        {"rank_pattern": {"q_proj": 4}, "alpha_pattern": {"layers.1.self_attn.q_proj": 64}},
        {"modules_to_save": ["lm_head"]},
        {"target_modules": ["q_proj", "embed_tokens"]},
        {"target_modules": ["v_proj", "lm_head"]},
        {"target_modules": ["o_proj"], "layers_to_transform": [1]},
    ],
    ids=lambda changes: "+".join(changes),
)
def test_every_form_of_lora_equals_peft(tmp_path, pico, llama, changes):
    adapter = pico.write_adapter(tmp_path / "adapter", llama, **changes)
    merge(adapter, llama, tmp_path / "out", base="original", dtype="float32")
    expected = peft_sum(llama, adapter, torch.float32)
    merged = tensors_of(tmp_path / "out")
    assert set(merged) == set(expected)
    for name, value in expected.items():
        assert torch.allclose(merged[name], value, rtol=1e-6, atol=1e-7), name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"double_quant": False},
        {"block_size": 32},
        {"type": "fp4", "block_size": 32, "double_quant": False},
        {"compute_dtype": "float16"},
    ],
)
def test_dequantised_values_are_those_the_4_bit_model_holds(tmp_path, pico, llama, changes):
    from bitsandbytes.nn import Linear4bit, Params4bit

    from kofinlaw.trainer.merge.quantize import training_values

    record = {**pico.NF4, **changes}
    weight = tensors_of(llama)["model.layers.0.mlp.gate_proj.weight"]
    compute = getattr(torch, record["compute_dtype"])
    layer = Linear4bit(weight.shape[1], weight.shape[0], bias=False, compute_dtype=compute)
    layer.support_avx512bf16_for_cpu = False
    layer.weight = Params4bit(
        weight,
        requires_grad=False,
        quant_type=record["type"],
        blocksize=record["block_size"],
        compress_statistics=record["double_quant"],
    ).to("cpu")
    ours = training_values(weight, record)
    through_layer = layer(torch.eye(weight.shape[1], dtype=compute)).T.float()
    assert torch.equal(ours, through_layer)
    assert 0.05 < (ours - weight.float()).norm() / weight.float().norm() < 0.15


def test_blocks_that_span_rows_are_dequantised_rightly(pico):
    """bitsandbytes' CPU kernel gives another row's scales there (error 0.26 for 0.09)."""
    from kofinlaw.trainer.merge.quantize import training_values

    weight = torch.randn(128, 96, generator=torch.Generator().manual_seed(0)).bfloat16()
    error = (training_values(weight, pico.NF4) - weight.float()).norm() / weight.float().norm()
    assert 0.08 < error < 0.1


def test_the_dequantised_merge_is_the_trained_model(tmp_path, llama, adapter):
    counts = merge(adapter, llama, tmp_path / "out", dtype="float32")
    trained = load_model(llama, quantization="nf4", dtype="bfloat16", adapter=adapter)
    merged = tensors_of(tmp_path / "out")
    from bitsandbytes.functional import dequantize_4bit

    for name, module in trained.base_model.model.named_modules():
        if hasattr(module, "get_delta_weight") and name.endswith("_proj"):
            packed = module.base_layer.weight
            base = dequantize_4bit(packed.data, packed.quant_state).float()
            expected = base + module.get_delta_weight("default").float()
            assert torch.equal(merged[f"{name}.weight"], expected), name
    assert counts["tensors_with_adapter"] == 14
    assert counts["tensors_dequantised_only"] == 0
    assert counts["tensors_copied"] == len(merged) - 14


def test_layers_without_adapter_are_dequantised_too(tmp_path, pico, llama):
    adapter = pico.write_adapter(
        tmp_path / "a", llama, quantization=pico.NF4, target_modules=["q_proj"]
    )
    counts = merge(adapter, llama, tmp_path / "out")
    assert (counts["tensors_with_adapter"], counts["tensors_dequantised_only"]) == (2, 12)
    base, merged = tensors_of(llama), tensors_of(tmp_path / "out")
    name = "model.layers.1.mlp.down_proj.weight"
    assert not torch.equal(base[name], merged[name])
    assert torch.equal(base["lm_head.weight"], merged["lm_head.weight"])


def test_shards_and_index_are_those_of_the_base(tmp_path, llama, plain_adapter):
    merge(plain_adapter, llama, tmp_path / "out", base="original")
    ours = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    theirs = json.loads((llama / "model.safetensors.index.json").read_text())
    assert len(set(ours["weight_map"].values())) > 1
    assert ours == {**theirs, "weight_map": dict(sorted(theirs["weight_map"].items()))}


def test_an_adapted_embedding_parts_from_its_tied_head(tmp_path, pico):
    base = pico.write_llama(tmp_path / "base", tie_word_embeddings=True)
    adapter = pico.write_adapter(tmp_path / "a", base, target_modules=["q_proj", "embed_tokens"])
    merge(adapter, base, tmp_path / "out", base="original", dtype="float32")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    merged, before = tensors_of(tmp_path / "out"), tensors_of(base)
    assert config["tie_word_embeddings"] is False
    assert torch.equal(merged["lm_head.weight"], before["model.embed_tokens.weight"].float())
    assert not torch.equal(merged["lm_head.weight"], merged["model.embed_tokens.weight"])
    ids = torch.arange(8, 40)[None]
    trained = load_model(base, dtype="float32", adapter=adapter)(ids).logits
    reloaded = load_model(tmp_path / "out", dtype="float32")(ids).logits
    assert torch.allclose(trained, reloaded, atol=1e-4)


def test_a_tied_base_stays_tied(tmp_path, pico):
    base = pico.write_llama(tmp_path / "base", tie_word_embeddings=True)
    adapter = pico.write_adapter(tmp_path / "a", base, quantization=pico.NF4)
    merge(adapter, base, tmp_path / "out")
    assert "lm_head.weight" not in tensors_of(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["tie_word_embeddings"]


def test_a_resized_vocabulary_travels_with_its_tokenizer(tmp_path, pico, llama):
    adapter = pico.write_adapter(
        tmp_path / "a", llama, modules_to_save=["embed_tokens", "lm_head"], record=True
    )
    weights = load_file(adapter / "adapter_model.safetensors")
    whole = [name for name in weights if "embed_tokens" in name or "lm_head" in name]
    for name in whole:
        weights[name] = torch.cat([weights[name], weights[name][:3]])
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match=r"brings no tokenizer\.json"):
        merge(adapter, llama, tmp_path / "out", base="original")
    tokenizer = json.loads((llama / "tokenizer.json").read_text())
    first = max(tokenizer["model"]["vocab"].values()) + 1
    for number, token in enumerate(["조", "항", "호호"]):
        tokenizer["model"]["vocab"][token + "새"] = first + number
    (adapter / "tokenizer.json").write_text(json.dumps(tokenizer))
    merge(adapter, llama, tmp_path / "out", base="original")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["vocab_size"] == first + 3
    assert tensors_of(tmp_path / "out")["lm_head.weight"].shape[0] == first + 3
    made, brought = tmp_path / "out" / "tokenizer.json", adapter / "tokenizer.json"
    assert made.read_bytes() == brought.read_bytes()


def test_everything_a_user_needs_travels(tmp_path, llama, adapter):
    merge(adapter, llama, tmp_path / "out")
    out = tmp_path / "out"
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "LICENSE"):
        assert (out / name).read_bytes() == (llama / name).read_bytes(), name
    config = json.loads((out / "config.json").read_text())
    assert config["dtype"] == config["torch_dtype"] == "bfloat16"
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == 10000.0
    assert config["rope_scaling"] is None
    ends = json.loads((out / "generation_config.json").read_text())["eos_token_id"]
    assert ends == [2, 7]  # </s> and the template's <|end|>
    record = json.loads((out / "kofinlaw.json").read_text())
    assert record["merge"]["base"] == "dequantized"
    assert record["name"] == "pico-llama-kofinlaw"
    assert "pico-llama" in (out / "README.md").read_text()


def test_the_same_merge_again_is_left_alone_and_another_is_refused(tmp_path, llama, adapter):
    first = merge(adapter, llama, tmp_path / "out")
    before = (tmp_path / "out" / "kofinlaw.json").stat().st_mtime_ns
    again = merge(adapter, llama, tmp_path / "out")
    assert {**again, "seconds": 0} == {**first, "seconds": 0}
    assert (tmp_path / "out" / "kofinlaw.json").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="not empty"):
        merge(adapter, llama, tmp_path / "out", base="original")


def test_merging_twice_gives_the_same_bytes(tmp_path, llama, adapter):
    for name in ("one", "two"):
        merge(adapter, llama, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
