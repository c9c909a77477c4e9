"""LoRA adapters converted between EXAONE 3.x and Llama."""

from __future__ import annotations

import json
import shutil

import pytest
from safetensors.torch import load_file

from kofinlaw import UserError
from kofinlaw.trainer.convert.model_conversion import exaone_to_llama, llama_to_exaone


def test_an_adapter_is_converted_there_and_back(tmp_path, pico, write_exaone):
    """The adapter is trained on the Llama, converted to EXAONE's names and back."""
    write_exaone(tmp_path / "exaone", torch_dtype="bfloat16")
    exaone_to_llama(tmp_path / "exaone", tmp_path / "llama")
    (tmp_path / "llama" / "chat_template.jinja").write_text(pico.TEMPLATE)
    adapter = pico.write_adapter(tmp_path / "a", tmp_path / "llama")
    llama_to_exaone(adapter, tmp_path / "b")
    config = json.loads((tmp_path / "b" / "adapter_config.json").read_text())
    assert set(config["target_modules"]) == {
        "q_proj",
        "k_proj",
        "v_proj",
        "out_proj",
        "c_fc_0",
        "c_fc_1",
        "c_proj",
    }
    names = set(load_file(tmp_path / "b" / "adapter_model.safetensors"))
    assert "base_model.model.transformer.h.0.attn.attention.out_proj.lora_A.weight" in names
    exaone_to_llama(tmp_path / "b", tmp_path / "c", base=tmp_path / "llama")
    weights = "adapter_model.safetensors"
    assert (tmp_path / "c" / weights).read_bytes() == (adapter / weights).read_bytes()
    first, last = (
        json.loads((folder / "kofinlaw.json").read_text()) for folder in (adapter, tmp_path / "c")
    )
    assert first == last


def test_an_adapter_with_unknown_targets_is_refused(tmp_path, pico, plain_adapter):
    adapter = shutil.copytree(plain_adapter, tmp_path / "a")
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["target_modules"] = ["q_proj", "fc1"]
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="fc1"):
        llama_to_exaone(adapter, tmp_path / "b")
