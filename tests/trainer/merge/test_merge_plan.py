"""Adapters that do not fit the base are refused before anything is written."""

from __future__ import annotations

import shutil

import pytest
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.trainer.merge.merge_plan import plan_merge


def test_an_unmatched_tensor_is_refused_by_name(tmp_path, llama, plain_adapter):
    adapter = shutil.copytree(plain_adapter, tmp_path / "a")
    weights = load_file(adapter / "adapter_model.safetensors")
    renamed = {name.replace("gate_proj", "c_fc_0"): value for name, value in weights.items()}
    save_file(renamed, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match=r"match no weight.*c_fc_0"):
        plan_merge(adapter, llama)


def test_a_lone_factor_and_a_transposed_one_are_refused(tmp_path, llama, plain_adapter):
    adapter = shutil.copytree(plain_adapter, tmp_path / "a")
    weights = load_file(adapter / "adapter_model.safetensors")
    name = "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight"
    save_file(
        {key: value for key, value in weights.items() if key != name},
        adapter / "adapter_model.safetensors",
    )
    with pytest.raises(
        UserError, match=r"lacks the tensors of 1 modules.*layers\.0\.mlp\.up_proj \(lora_B\)"
    ):
        plan_merge(adapter, llama)
    save_file(
        {**weights, name: weights[name].T.contiguous()}, adapter / "adapter_model.safetensors"
    )
    with pytest.raises(UserError, match="do not fit rank"):
        plan_merge(adapter, llama)
