"""An adapter must hold what its config selects; what it lacks is named."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.models.adapters import AdapterGapError
from kofinlaw.models.loading import load_model
from kofinlaw.trainer.merge.combine import combine_adapters
from kofinlaw.trainer.merge.merge_model import merge_adapter
from kofinlaw.trainer.merge.merge_plan import plan_merge

LAYER_1 = "base_model.model.model.layers.1."
TARGETS = ["q_proj", "k_proj", "o_proj", "up_proj", "down_proj", "lm_head"]


def copy_with(adapter, target, change):
    """A copy of the adapter whose tensors and config `change` returns."""
    shutil.copytree(adapter, target)
    file, path = target / "adapter_model.safetensors", target / "adapter_config.json"
    weights, config = change(load_file(file), json.loads(path.read_text()))
    save_file(weights, file)
    path.write_text(json.dumps(config))
    return target


def without(mark):
    return lambda weights, config: ({n: w for n, w in weights.items() if mark not in n}, config)


def with_config(**changes):
    return lambda weights, config: (weights, {**config, **changes})


def test_a_layer_without_tensors_is_named(tmp_path, llama, plain_adapter):
    adapter = copy_with(plain_adapter, tmp_path / "a", without(LAYER_1))
    with pytest.raises(UserError, match=r"tensors of 7 modules.*14 with LoRA.*layers\.1\.mlp") as e:
        merge_adapter(adapter, llama, tmp_path / "out")
    assert "and 2 more" in e.value.message
    assert not (tmp_path / "out").exists()
    with pytest.raises(AdapterGapError, match="lacks tensors of the modules"):
        load_model(llama, adapter=adapter)


def test_an_incomplete_adapter_fails_the_proof(tmp_path, pico, llama):
    from kofinlaw.trainer.proof.prove import prove_merge

    whole = pico.write_adapter(tmp_path / "whole", llama)
    merge_adapter(whole, llama, tmp_path / "out")
    adapter = copy_with(whole, tmp_path / "a", without(LAYER_1 + "self_attn.q_proj.lora_B"))
    result = prove_merge(tmp_path / "out", adapter, llama)
    assert result.failed == ("adapter modules",)
    assert result.checks[-1].value.startswith("14 modules, 1 tensors missing")
    assert "layers.1.self_attn.q_proj.lora_B" in result.checks[-1].value


def test_an_incomplete_adapter_is_not_combined(tmp_path, pico, llama, plain_adapter):
    whole = pico.write_adapter(tmp_path / "b", llama, seed=2)
    lacking = copy_with(plain_adapter, tmp_path / "a", without(LAYER_1))
    with pytest.raises(UserError, match="lacks the tensors of 7 modules"):
        combine_adapters([whole, lacking], [1, 1], tmp_path / "out", base=llama)
    half = copy_with(plain_adapter, tmp_path / "c", without("layers.0.mlp.up_proj.lora_B"))
    with pytest.raises(UserError, match="lacks one of its two factors"):
        combine_adapters([whole, half], [1, 1], tmp_path / "out")
    with pytest.raises(UserError, match="finite"):
        combine_adapters([whole, whole], [1, float("nan")], tmp_path / "out")


def test_combined_adapters_of_other_layers_keep_all_of_them(tmp_path, pico, llama):
    pair = [
        pico.write_adapter(
            tmp_path / str(n), llama, target_modules=["q_proj"], layers_to_transform=[n]
        )
        for n in (0, 1)
    ]
    combine_adapters(pair, [1, 1], tmp_path / "both", base=llama)
    result = merge_adapter(tmp_path / "both", llama, tmp_path / "out")
    assert result.counts.tensors_with_adapter == 2
    load_model(llama, adapter=tmp_path / "both")  # nothing is left out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_config(target_modules=["q_proj"]), "12 modules that its config does not select"),
        (with_config(layers_to_transform=[0]), "7 modules that its config does not select"),
        (with_config(modules_to_save=["norm"]), r"lacks.*layers\.0\.input_layernorm\.weight"),
        (with_config(modules_to_save=["embed_tokens"]), r"lacks.*model\.embed_tokens\.weight"),
        (with_config(trainable_token_indices=[3]), r"lacks.*model\.embed_tokens"),
        (with_config(use_dora=True), r"lacks.*\(lora_magnitude_vector\)"),
        (with_config(target_modules="(q_proj"), "peft refuses this config"),
        (with_config(r=4), "do not fit rank 4"),
        (with_config(rank_pattern={"layers.1.mlp.up_proj": 2}), "do not fit rank 2"),
        (with_config(task_type="SEQ_CLS"), "another head"),
        (with_config(peft_type="PREFIX_TUNING"), "virtual tokens"),
    ],
)
def test_config_and_tensors_of_other_trainings_are_refused(
    tmp_path, llama, plain_adapter, change, message
):
    adapter = copy_with(plain_adapter, tmp_path / "a", change)
    with pytest.raises(UserError, match=message):
        plan_merge(adapter, llama)


def test_the_cause_of_an_unmatched_tensor_is_said(tmp_path, pico, llama, plain_adapter):
    shallow = pico.write_llama(tmp_path / "shallow", num_hidden_layers=1)
    unrecorded = copy_with(plain_adapter, tmp_path / "b", with_config())
    (unrecorded / "kofinlaw.json").unlink()
    with pytest.raises(UserError, match="trained on 2 layers or more, this base has 1"):
        plan_merge(unrecorded, shallow, accept_unrecorded=True)

    def rename(weights, config):
        return {n.replace("model.layers", "transformer.h"): w for n, w in weights.items()}, config

    other = copy_with(plain_adapter, tmp_path / "c", rename)
    with pytest.raises(UserError, match="another architecture"):
        plan_merge(other, llama)

    def raw(weights, config):
        return {n.replace("lora_A", "lora_A.default"): w for n, w in weights.items()}, config

    with pytest.raises(UserError, match="not a name that peft writes"):
        plan_merge(copy_with(plain_adapter, tmp_path / "d", raw), llama)


def test_nan_in_the_adapter_is_named(tmp_path, llama, plain_adapter):
    def spoil(weights, config):
        weights[LAYER_1 + "mlp.up_proj.lora_A.weight"][0, 0] = float("nan")
        return weights, config

    adapter = copy_with(plain_adapter, tmp_path / "a", spoil)
    with pytest.raises(UserError, match=r"the adapter's .*layers\.1\.mlp\.up_proj\.lora_A"):
        merge_adapter(adapter, llama, tmp_path / "out")
    assert not (tmp_path / "out").exists()


CONFIGS = st.fixed_dictionaries(
    {
        "target_modules": st.one_of(
            st.lists(st.sampled_from(TARGETS), min_size=1, unique=True),
            st.sampled_from(["all-linear", r".*layers\.[01]\.(self_attn|mlp)\.(v|up)_proj"]),
        ),
        "exclude_modules": st.sampled_from([None, ["layers.0.mlp.up_proj"], r".*\.1\..*o_proj"]),
        "use_dora": st.booleans(),
        "rank_pattern": st.sampled_from([{}, {"q_proj": 2}, {"layers.1.mlp.down_proj": 3}]),
        "layer": st.sampled_from([None, 0, [1], [0, 1]]),
        "dropped": st.integers(0, 10**6),
    }
)


@seed(17)
@settings(max_examples=12, deadline=None)
@given(CONFIGS)
@pytest.mark.filterwarnings("ignore")
def test_of_any_config_each_tensor_is_needed(llama, tmp_path_factory, drawn):
    """peft decides which tensors an adapter has; without any one of them it is refused by name."""
    from peft import LoraConfig, get_peft_model, get_peft_model_state_dict

    drawn = dict(drawn)
    layer, dropped = drawn.pop("layer"), drawn.pop("dropped")
    if isinstance(drawn["target_modules"], list) and drawn["target_modules"] != ["lm_head"]:
        drawn["layers_to_transform"] = layer
    folder = tmp_path_factory.mktemp("any")
    config = LoraConfig(task_type="CAUSAL_LM", r=4, **drawn)
    try:
        model = get_peft_model(load_model(llama), config)
    except ValueError:  # the draw excludes all of its targets
        return
    weights = get_peft_model_state_dict(model, save_embedding_layers=False)
    save_file({n: w.contiguous() for n, w in weights.items()}, folder / "adapter_model.safetensors")
    model.peft_config["default"].save_pretrained(folder)
    plan = plan_merge(folder, llama, accept_unrecorded=True)
    modules = {name.partition(".lora_")[0] for name in weights}
    assert plan.modules == len(modules) == plan.counts().tensors_with_adapter
    lost = sorted(weights)[dropped % len(weights)]
    kept = {n: torch.zeros_like(w) for n, w in weights.items() if n != lost}
    if not kept:
        return
    save_file(kept, folder / "adapter_model.safetensors")
    module = lost.removeprefix("base_model.model.").partition(".lora_")[0]
    with pytest.raises(UserError, match="lacks") as caught:
        plan_merge(folder, llama, accept_unrecorded=True)
    assert module in caught.value.message
