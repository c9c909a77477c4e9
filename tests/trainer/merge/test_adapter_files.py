"""Adapters whose files or kind the merge refuses."""

from __future__ import annotations

import json
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.trainer.merge.merge_model import merge_adapter
from kofinlaw.trainer.merge.merge_plan import plan_merge


def test_adapters_whose_sum_with_the_base_is_another_model_are_refused(
    tmp_path, llama, plain_adapter
):
    for number, (key, value, message) in enumerate(
        [
            ("init_lora_weights", "pissa", "changed the base's own weights"),
            ("peft_type", "IA3", "not LORA"),
            ("layer_replication", [[0, 2]], "layer_replication"),
        ]
    ):
        adapter = shutil.copytree(plain_adapter, tmp_path / str(number))
        config = json.loads((adapter / "adapter_config.json").read_text())
        (adapter / "adapter_config.json").write_text(json.dumps({**config, key: value}))
        with pytest.raises(UserError, match=message):
            plan_merge(adapter, llama)


def test_pickled_weights_are_refused(tmp_path, llama, plain_adapter):
    adapter = shutil.copytree(plain_adapter, tmp_path / "a")
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(UserError, match="pickle"):
        merge_adapter(adapter, llama, tmp_path / "out")
    base = shutil.copytree(llama, tmp_path / "base")
    for path in base.glob("*.safetensors*"):
        path.unlink()
    (base / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserError, match="pickled files"):
        merge_adapter(plain_adapter, base, tmp_path / "out")
