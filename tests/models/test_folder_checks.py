"""Folders that must not be loaded."""

from __future__ import annotations

import json
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.models.loading import load_model


def test_what_must_not_be_loaded_is_refused_with_a_remedy(llama, tmp_path):
    with pytest.raises(UserError, match=r"config\.json is missing"):
        load_model(tmp_path)
    pickled = tmp_path / "pickled"
    shutil.copytree(llama, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickled files"):
        load_model(pickled)
    remote = tmp_path / "remote"
    shutil.copytree(llama, remote)
    config = json.loads((remote / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "exaone", "auto_map": {"AutoModelForCausalLM": "modeling_exaone.X"}}
    (remote / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(UserError, match="its own code") as error:
        load_model(remote)
    assert "kofinlaw convert llama" in error.value.remedy
