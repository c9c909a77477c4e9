"""Exports quantised once to NF4."""

from __future__ import annotations

import json

import pytest
import torch

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.trainer.export.bnb import to_bnb4
from kofinlaw.trainer.merge.merge_model import merge_adapter


def test_4_bit_weights_reload_and_are_quantised_once(tmp_path, llama, plain_adapter):
    merge_adapter(plain_adapter, llama, tmp_path / "m", base="original")
    facts = to_bnb4(tmp_path / "m", tmp_path / "q")
    config = json.loads((tmp_path / "q" / "config.json").read_text())
    assert config["quantization_config"]["bnb_4bit_quant_type"] == "nf4"
    assert config["rope_theta"] == 10000.0
    for name in ("tokenizer.json", "chat_template.jinja", "LICENSE"):
        assert (tmp_path / "q" / name).read_bytes() == (llama / name).read_bytes()
    assert 0 < facts["bytes"] < sum(p.stat().st_size for p in (tmp_path / "m").glob("*.saf*"))
    ids = torch.arange(8, 60)[None]
    with torch.no_grad():
        reloaded = load_model(tmp_path / "q", dtype="bfloat16")(ids).logits
        direct = load_model(tmp_path / "m", quantization="nf4", dtype="bfloat16")(ids).logits
    assert torch.equal(reloaded, direct)


def test_a_target_with_files_in_it_is_refused(tmp_path, llama, plain_adapter):
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        to_bnb4(llama, tmp_path / "q")
