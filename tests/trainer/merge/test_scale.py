"""A weighted adapter changes the base by that share, exactly, and by nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.models.weight_headers import weight_files
from kofinlaw.trainer.merge.merge_model import merge_adapter
from kofinlaw.trainer.merge.scale import scale_adapter


def merged(adapter, base, out):
    merge_adapter(adapter, base, out, base="original", dtype="float32")
    return {k: v for path in weight_files(out) for k, v in load_file(path).items()}


def tensors_of(folder):
    return {k: v for path in weight_files(folder) for k, v in load_file(path).items()}


@pytest.mark.parametrize("weight", [0.5, 0.3, 1.0, 0.0, -1.0])
def test_the_change_of_each_weight_is_multiplied(tmp_path, pico, llama, weight):
    options = {"target_modules": ["q_proj", "down_proj"]}
    adapter = pico.write_adapter(tmp_path / "adapter", llama, seed=1, **options)
    scale_adapter(adapter, weight, tmp_path / "scaled")
    base = tensors_of(llama)
    whole = merged(adapter, llama, tmp_path / "whole")
    part = merged(tmp_path / "scaled", llama, tmp_path / "part")
    changed = [name for name in base if not torch.equal(whole[name], base[name].float())]
    assert changed
    for name, value in part.items():
        expected = base[name].float()
        if name in changed:
            expected = expected + weight * (whole[name] - expected)
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-6)


def test_other_files_are_copied_and_the_record_says_what_was_done(tmp_path, pico, llama):
    adapter = pico.write_adapter(tmp_path / "adapter", llama, seed=1)
    (adapter / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    out = scale_adapter(adapter, 0.5, tmp_path / "scaled")
    assert {path.name for path in out.iterdir()} == {
        *(path.name for path in adapter.iterdir()),
        "kofinlaw.json",
    }
    assert '"weight": 0.5' in (out / "kofinlaw.json").read_text(encoding="utf-8")
    before = (out / "adapter_model.safetensors").stat().st_mtime_ns
    assert scale_adapter(adapter, 0.5, out) == out
    assert (out / "adapter_model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="not empty"):
        scale_adapter(adapter, 0.25, out)


@pytest.mark.parametrize(
    "options",
    [{"use_dora": True}, {"modules_to_save": ["lm_head"]}, {"trainable_token_indices": [1]}],
)
def test_parts_that_are_no_low_rank_change_are_refused(tmp_path, pico, llama, options):
    adapter = pico.write_adapter(tmp_path / "adapter", llama, seed=1, **options)
    with pytest.raises(UserError, match="only low-rank changes can be weighted"):
        scale_adapter(adapter, 0.5, tmp_path / "scaled")
    assert not (tmp_path / "scaled").exists()


def test_a_broken_adapter_or_weight_is_refused(tmp_path, pico, llama):
    adapter = pico.write_adapter(tmp_path / "adapter", llama, seed=1)
    with pytest.raises(UserError, match="finite number"):
        scale_adapter(adapter, math.nan, tmp_path / "scaled")
    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    name = next(iter(tensors))
    tensors[name][0, 0] = math.inf
    save_file(tensors, path)
    with pytest.raises(UserError, match="NaN or infinity"):
        scale_adapter(adapter, 0.5, tmp_path / "scaled")
