"""Bases that do not belong to the adapter, or that are quantised."""

from __future__ import annotations

import json
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.trainer.merge.merge_model import merge_adapter
from kofinlaw.trainer.merge.merge_plan import plan_merge


def test_another_base_is_refused(tmp_path, pico, adapter):
    other = pico.write_llama(tmp_path / "other", seed=5)
    with pytest.raises(UserError, match="not the base the adapter was trained on"):
        merge_adapter(adapter, other, tmp_path / "out")


def test_an_adapter_without_record_is_refused_unless_accepted(tmp_path, pico, llama):
    adapter = pico.write_adapter(tmp_path / "a", llama, record=False)
    with pytest.raises(UserError, match="does not name its base"):
        merge_adapter(adapter, llama, tmp_path / "out")
    merge_adapter(adapter, llama, tmp_path / "out", accept_unrecorded=True)


def test_a_4_bit_base_is_refused_with_the_reason(tmp_path, llama, plain_adapter):
    base = shutil.copytree(llama, tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (base / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"keeps about 1\.5 % of a small adapter"):
        plan_merge(plain_adapter, base)
