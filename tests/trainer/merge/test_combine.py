"""Weighted adapters against peft's own `add_weighted_adapter`."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.models.weight_headers import weight_files
from kofinlaw.trainer.merge.combine import combine_adapters
from kofinlaw.trainer.merge.merge_model import merge_adapter


@pytest.fixture(scope="module")
def pair(pico, llama, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    options = {"target_modules": ["q_proj", "down_proj"]}
    one = pico.write_adapter(folder / "one", llama, seed=1, **options)
    two = pico.write_adapter(folder / "two", llama, seed=2, lora_alpha=4, **options)
    return [one, two]


def tensors_of(folder):
    return {k: v for path in weight_files(folder) for k, v in load_file(path).items()}


def peft_combined(base, pair, weights, method, density, monkeypatch):
    from peft import PeftModel
    from peft.tuners.lora import LoraModel

    model = PeftModel.from_pretrained(load_model(base, dtype="float32"), pair[0], "one")
    model.load_adapter(pair[1], "two")
    extra = {} if method in ("cat", "linear") else {"density": density}
    arithmetic = LoraModel._generalized_task_arithmetic_weighted_adapter

    def seeded(self, *arguments, **options):
        torch.manual_seed(0)  # making the adapter drew numbers too
        return arithmetic(self, *arguments, **options)

    monkeypatch.setattr(LoraModel, "_generalized_task_arithmetic_weighted_adapter", seeded)
    model.add_weighted_adapter(["one", "two"], weights, "both", combination_type=method, **extra)
    model.set_adapter("both")
    return {
        name: module.get_delta_weight("both")
        for name, module in model.base_model.model.named_modules()
        if hasattr(module, "get_delta_weight")
    }


@pytest.mark.parametrize("method", ["sum", "linear", "ties", "magnitude_prune"])
def test_the_combination_is_peft_s(tmp_path, llama, pair, method, monkeypatch):
    weights = [0.7, -0.4] if method == "sum" else [0.7, 0.4]
    combine_adapters(pair, weights, tmp_path / "both", method=method, density=0.6)
    merge_adapter(tmp_path / "both", llama, tmp_path / "m", base="original", dtype="float32")
    stored, base = tensors_of(tmp_path / "m"), tensors_of(llama)
    expected = peft_combined(
        llama, pair, weights, "cat" if method == "sum" else method, 0.6, monkeypatch
    )
    assert len(expected) == 4
    for name, delta in expected.items():
        found = stored[f"{name}.weight"] - base[f"{name}.weight"].float()
        assert torch.allclose(found, delta, atol=2e-6), name


@pytest.mark.parametrize("method", ["dare_linear", "dare_ties"])
def test_random_pruning_of_one_layer_is_peft_s_by_the_same_seed(
    tmp_path, pico, llama, method, monkeypatch
):
    """One layer alone: peft draws layer after layer, in another order than the files'."""
    options = {"target_modules": ["up_proj"], "layers_to_transform": [0]}
    pair = [
        pico.write_adapter(tmp_path / str(seed), llama, seed=seed, **options) for seed in (1, 2)
    ]
    combine_adapters(pair, [0.7, 0.4], tmp_path / "both", method=method, density=0.6, seed=0)
    merge_adapter(tmp_path / "both", llama, tmp_path / "m", base="original", dtype="float32")
    ((name, delta),) = peft_combined(llama, pair, [0.7, 0.4], method, 0.6, monkeypatch).items()
    found = tensors_of(tmp_path / "m")[f"{name}.weight"]
    base = tensors_of(llama)[f"{name}.weight"].float()
    assert delta.abs().max() > 0
    assert torch.allclose(found - base, delta, atol=2e-6)


def test_the_same_combination_again_is_left_alone(tmp_path, pair):
    first = combine_adapters(pair, [1, 1], tmp_path / "both")
    before = (tmp_path / "both" / "kofinlaw.json").stat().st_mtime_ns
    assert combine_adapters(pair, [1, 1], tmp_path / "both") == first
    assert (tmp_path / "both" / "kofinlaw.json").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="not empty"):
        combine_adapters(pair, [1, 2], tmp_path / "both")


def test_the_combination_takes_the_proof_of_any_adapter(tmp_path, pico, llama):
    from kofinlaw.trainer.proof.prove import prove_merge

    pair = [
        pico.write_adapter(tmp_path / str(n), llama, seed=n, quantization=pico.NF4) for n in (1, 2)
    ]
    combine_adapters(pair, [0.6, 0.4], tmp_path / "both", method="ties")
    merge_adapter(tmp_path / "both", llama, tmp_path / "m")
    assert prove_merge(tmp_path / "m", tmp_path / "both", llama).verdict == "pass"


def test_random_pruning_comes_from_the_seed(tmp_path, pair):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        combine_adapters(pair, [1, 1], tmp_path / name, method="dare_ties", seed=seed)
    one, two, three = (
        (tmp_path / name / "adapter_model.safetensors").read_bytes() for name in "abc"
    )
    assert one == two != three


def test_adapters_of_other_bases_ranks_or_kinds_are_refused(tmp_path, pico, llama, pair):
    lower = pico.write_adapter(tmp_path / "r4", llama, r=4)
    with pytest.raises(UserError, match="needs adapters of equal rank"):
        combine_adapters([pair[0], lower], [1, 1], tmp_path / "x", method="ties")
    combine_adapters([pair[0], lower], [1, 1], tmp_path / "sum")
    assert json.loads((tmp_path / "sum" / "adapter_config.json").read_text())["r"] == 12
    dora = pico.write_adapter(tmp_path / "dora", llama, use_dora=True)
    with pytest.raises(UserError, match="only plain LoRA"):
        combine_adapters([pair[0], dora], [1, 1], tmp_path / "x")
    nf4 = pico.write_adapter(tmp_path / "nf4", llama, quantization=pico.NF4)
    with pytest.raises(UserError, match="quantization differs"):
        combine_adapters([pair[0], nf4], [1, 1], tmp_path / "x")
    with pytest.raises(UserError, match="an adapter or more"):
        combine_adapters([pair[0]], [1, 1], tmp_path / "x")


@pytest.mark.parametrize("weight", [0.5, 1.0, 0.0, -1.0])
def test_of_one_adapter_it_is_a_share_of_its_change(tmp_path, llama, pair, weight):
    combine_adapters(pair[:1], [weight], tmp_path / "share")
    whole, part = tmp_path / "whole", tmp_path / "part"
    for adapter, out in ((pair[0], whole), (tmp_path / "share", part)):
        merge_adapter(adapter, llama, out, base="original", dtype="float32")
    base, whole, part = (tensors_of(folder) for folder in (llama, whole, part))
    changed = [name for name in base if not torch.equal(whole[name], base[name].float())]
    assert changed
    for name, value in part.items():
        expected = base[name].float()
        expected += weight * (whole[name] - expected) if name in changed else 0
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-6)
