"""The merge against peft's own sum, and what happens to targets, kills and full disks."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.models.weight_headers import weight_files
from kofinlaw.trainer.merge.merge_model import merge_adapter


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
    merge_adapter(plain_adapter, llama, tmp_path / "out", base="original", dtype=dtype)
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
    merge_adapter(adapter, llama, tmp_path / "out", base="original", dtype="float32")
    expected = peft_sum(llama, adapter, torch.float32)
    merged = tensors_of(tmp_path / "out")
    assert set(merged) == set(expected)
    for name, value in expected.items():
        assert torch.allclose(merged[name], value, rtol=1e-6, atol=1e-7), name


def test_the_dequantised_merge_is_the_trained_model(tmp_path, llama, adapter):
    result = merge_adapter(adapter, llama, tmp_path / "out", dtype="float32")
    trained = load_model(llama, quantization="nf4", dtype="bfloat16", adapter=adapter)
    merged = tensors_of(tmp_path / "out")
    from bitsandbytes.functional import dequantize_4bit

    for name, module in trained.base_model.model.named_modules():
        if hasattr(module, "get_delta_weight") and name.endswith("_proj"):
            packed = module.base_layer.weight
            base = dequantize_4bit(packed.data, packed.quant_state).float()
            expected = base + module.get_delta_weight("default").float()
            assert torch.equal(merged[f"{name}.weight"], expected), name
    assert result.counts.tensors_with_adapter == 14
    assert result.counts.tensors_dequantised_only == 0
    assert result.counts.tensors_copied == len(merged) - 14


def test_layers_without_adapter_are_dequantised_too(tmp_path, pico, llama):
    adapter = pico.write_adapter(
        tmp_path / "a", llama, quantization=pico.NF4, target_modules=["q_proj"]
    )
    result = merge_adapter(adapter, llama, tmp_path / "out")
    assert (result.counts.tensors_with_adapter, result.counts.tensors_dequantised_only) == (2, 12)
    base, merged = tensors_of(llama), tensors_of(tmp_path / "out")
    name = "model.layers.1.mlp.down_proj.weight"
    assert not torch.equal(base[name], merged[name])
    assert torch.equal(base["lm_head.weight"], merged["lm_head.weight"])


def test_shards_and_index_are_those_of_the_base(tmp_path, llama, plain_adapter):
    merge_adapter(plain_adapter, llama, tmp_path / "out", base="original")
    ours = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    theirs = json.loads((llama / "model.safetensors.index.json").read_text())
    assert len(set(ours["weight_map"].values())) > 1
    assert ours == {**theirs, "weight_map": dict(sorted(theirs["weight_map"].items()))}


def test_an_adapted_embedding_is_stored_separately_from_its_tied_head(tmp_path, pico):
    base = pico.write_llama(tmp_path / "base", tie_word_embeddings=True)
    adapter = pico.write_adapter(tmp_path / "a", base, target_modules=["q_proj", "embed_tokens"])
    merge_adapter(adapter, base, tmp_path / "out", base="original", dtype="float32")
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
    merge_adapter(adapter, base, tmp_path / "out")
    assert "lm_head.weight" not in tensors_of(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["tie_word_embeddings"]


def test_the_same_merge_again_is_left_alone_and_another_is_refused(tmp_path, llama, adapter):
    first = merge_adapter(adapter, llama, tmp_path / "out")
    before = (tmp_path / "out" / "kofinlaw.json").stat().st_mtime_ns
    again = merge_adapter(adapter, llama, tmp_path / "out")
    assert replace(again, seconds=0) == replace(first, seconds=0)
    assert (tmp_path / "out" / "kofinlaw.json").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="not empty"):
        merge_adapter(adapter, llama, tmp_path / "out", base="original")


def test_merging_twice_gives_the_same_bytes(tmp_path, llama, adapter):
    for name in ("one", "two"):
        merge_adapter(adapter, llama, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_weights_that_are_not_finite_are_refused_and_leave_nothing(tmp_path, llama, plain_adapter):
    adapter = shutil.copytree(plain_adapter, tmp_path / "a")
    weights = load_file(adapter / "adapter_model.safetensors")
    name = "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"
    weights[name][3, 2] = float("nan")
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match="not finite"):
        merge_adapter(adapter, llama, tmp_path / "out")
    weights[name][3, 2] = 1e6
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match="does not fit F16"):
        merge_adapter(adapter, llama, tmp_path / "out", dtype="float16")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_target_inside_a_source_or_on_a_full_disk_is_refused(
    tmp_path, llama, adapter, monkeypatch
):
    for target in (llama / "merged", adapter, adapter.parent):
        with pytest.raises(UserError, match="lies inside a source"):
            merge_adapter(adapter, llama, target)
    monkeypatch.setattr(
        "kofinlaw.trainer.merge.merge_model.shutil.disk_usage",
        lambda path: shutil._ntuple_diskusage(100, 90, 10),
    )
    with pytest.raises(UserError, match="the merge needs"):
        merge_adapter(adapter, llama, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


SLOW_MERGE = """
import sys, time
from pathlib import Path
from kofinlaw.trainer.merge.merge_model import merge_adapter

def progress(phase, done, total=None, **info):
    if done == 9:
        print("halfway", flush=True)
        time.sleep(60)

merge_adapter(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), progress=progress)
"""


def test_a_killed_merge_leaves_no_target_and_the_next_one_clears_up(tmp_path, llama, adapter):
    out = tmp_path / "out"
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW_MERGE, str(adapter), str(llama), str(out)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "halfway\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == [".out.tmp"]
    began = time.monotonic()
    merge_adapter(adapter, llama, out)
    assert time.monotonic() - began < 60
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
