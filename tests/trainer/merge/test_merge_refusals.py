"""What the merge refuses, and that it leaves nothing behind then."""

from __future__ import annotations

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.trainer.merge.merge_model import merge, plan_merge


def copy(source, target):
    shutil.copytree(source, target)
    return target


def test_another_base_is_refused(tmp_path, pico, adapter):
    other = pico.write_llama(tmp_path / "other", seed=5)
    with pytest.raises(UserError, match="not the base the adapter was trained on"):
        merge(adapter, other, tmp_path / "out")


def test_an_adapter_without_record_is_refused_unless_accepted(tmp_path, pico, llama):
    adapter = pico.write_adapter(tmp_path / "a", llama, record=False)
    with pytest.raises(UserError, match="does not say which base"):
        merge(adapter, llama, tmp_path / "out")
    merge(adapter, llama, tmp_path / "out", accept_unrecorded=True)


def test_an_unmatched_tensor_is_refused_by_name(tmp_path, llama, plain_adapter):
    adapter = copy(plain_adapter, tmp_path / "a")
    weights = load_file(adapter / "adapter_model.safetensors")
    renamed = {name.replace("gate_proj", "c_fc_0"): value for name, value in weights.items()}
    save_file(renamed, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match=r"match no weight.*c_fc_0"):
        plan_merge(adapter, llama)


def test_a_lone_factor_and_a_transposed_one_are_refused(tmp_path, llama, plain_adapter):
    adapter = copy(plain_adapter, tmp_path / "a")
    weights = load_file(adapter / "adapter_model.safetensors")
    name = "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight"
    save_file(
        {key: value for key, value in weights.items() if key != name},
        adapter / "adapter_model.safetensors",
    )
    with pytest.raises(UserError, match="factors is missing"):
        plan_merge(adapter, llama)
    save_file(
        {**weights, name: weights[name].T.contiguous()}, adapter / "adapter_model.safetensors"
    )
    with pytest.raises(UserError, match="do not fit rank"):
        plan_merge(adapter, llama)


def test_weights_that_are_not_finite_are_refused_and_leave_nothing(tmp_path, llama, plain_adapter):
    adapter = copy(plain_adapter, tmp_path / "a")
    weights = load_file(adapter / "adapter_model.safetensors")
    name = "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"
    weights[name][3, 2] = float("nan")
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match="not finite"):
        merge(adapter, llama, tmp_path / "out")
    weights[name][3, 2] = 1e6
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match="does not fit F16"):
        merge(adapter, llama, tmp_path / "out", dtype="float16")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_pickled_weights_are_refused(tmp_path, llama, plain_adapter):
    adapter = copy(plain_adapter, tmp_path / "a")
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(UserError, match="pickle"):
        merge(adapter, llama, tmp_path / "out")
    base = copy(llama, tmp_path / "base")
    for path in base.glob("*.safetensors*"):
        path.unlink()
    (base / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserError, match="pickles"):
        merge(plain_adapter, base, tmp_path / "out")


def test_missing_truncated_and_unindexed_shards_are_refused(tmp_path, llama, plain_adapter):
    base = copy(llama, tmp_path / "base")
    shard = sorted(base.glob("*.safetensors"))[1]
    whole = shard.read_bytes()
    shard.unlink()
    with pytest.raises(UserError, match="names a file that is not there"):
        plan_merge(plain_adapter, base)
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="truncated or corrupt"):
        plan_merge(plain_adapter, base)
    shard.write_bytes(b"\x00" * 100)
    with pytest.raises(UserError, match="truncated or corrupt"):
        plan_merge(plain_adapter, base)
    shard.write_bytes(whole)
    index = base / "model.safetensors.index.json"
    value = json.loads(index.read_text())
    del value["weight_map"]["model.norm.weight"]
    index.write_text(json.dumps(value))
    with pytest.raises(UserError, match="index and shards disagree"):
        plan_merge(plain_adapter, base)


def test_a_4_bit_base_is_refused_with_the_reason(tmp_path, llama, plain_adapter):
    base = copy(llama, tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (base / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"keeps about 1\.5 % of a small adapter"):
        plan_merge(plain_adapter, base)


def test_adapters_whose_sum_is_another_one_are_refused(tmp_path, llama, plain_adapter):
    for number, (key, value, message) in enumerate(
        [
            ("init_lora_weights", "pissa", "changed the base's own weights"),
            ("peft_type", "IA3", "not LORA"),
            ("layer_replication", [[0, 2]], "layer_replication"),
        ]
    ):
        adapter = copy(plain_adapter, tmp_path / str(number))
        config = json.loads((adapter / "adapter_config.json").read_text())
        (adapter / "adapter_config.json").write_text(json.dumps({**config, key: value}))
        with pytest.raises(UserError, match=message):
            plan_merge(adapter, llama)


def test_a_target_inside_a_source_or_on_a_full_disk_is_refused(
    tmp_path, llama, adapter, monkeypatch
):
    for target in (llama / "merged", adapter, adapter.parent):
        with pytest.raises(UserError, match="lies inside a source"):
            merge(adapter, llama, target)
    monkeypatch.setattr(
        "kofinlaw.trainer.merge.merge_model.shutil.disk_usage",
        lambda path: shutil._ntuple_diskusage(100, 90, 10),
    )
    with pytest.raises(UserError, match="the merge needs"):
        merge(adapter, llama, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_leaves_nothing(tmp_path, llama, adapter, monkeypatch):
    import errno

    from kofinlaw.trainer.merge import tensor_files as merge_files

    class Full:
        def __init__(self, handle):
            self.handle, self.left = handle, 20_000

        def write(self, data):
            self.left -= len(data)
            if self.left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.handle.write(data)

        def __getattr__(self, name):
            return getattr(self.handle, name)

    def opened(path, mode="r", **options):
        handle = open(path, mode, **options)
        return Full(handle) if str(path).endswith(".safetensors") and "w" in mode else handle

    monkeypatch.setattr(merge_files, "open", opened, raising=False)
    with pytest.raises(UserError, match="no space left"):
        merge(adapter, llama, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_template_other_than_the_trained_one_is_refused(tmp_path, llama, adapter):
    changed = copy(adapter, tmp_path / "a")
    (changed / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    with pytest.raises(UserError, match="not the one the adapter was trained with"):
        merge(changed, llama, tmp_path / "out")


def test_a_derivative_of_exaone_must_bear_its_name(tmp_path, llama, plain_adapter):
    adapter = copy(plain_adapter, tmp_path / "a")
    record = json.loads((adapter / "kofinlaw.json").read_text())
    record["base_id"] = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"
    (adapter / "kofinlaw.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="must begin with EXAONE"):
        merge(adapter, llama, tmp_path / "out", name="finlaw-7.8b")
    merge(adapter, llama, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "kofinlaw.json").read_text())
    assert record["name"] == "EXAONE-3.5-7.8B-Instruct-kofinlaw"
