"""The layers that get an adapter, its shapes, and that all of its tensors are trained."""

import json

import pytest

from kofinlaw import UserError


def test_wrong_targets_ranks_and_lengths_are_told_with_what_is_right(run, build_examples, tmp_path):
    with pytest.raises(UserError, match="no layer is called 'query'") as caught:
        run(lora={"rank": 4, "targets": ["query"]})
    assert "q_proj" in caught.value.remedy
    with pytest.raises(UserError, match="rank 64 is larger than layer") as caught:
        run(lora={"rank": 64})
    assert "at most 32" in caught.value.remedy
    with pytest.raises(UserError, match="the model has 2 layers"):
        run(lora={"rank": 4, "last_layers": 3})
    with pytest.raises(UserError, match="none of 3 examples"):
        run(data=build_examples(tmp_path / "few.jsonl", 3), max_length=10)
    long = build_examples(tmp_path / "long.jsonl", 8, longest=30)
    with pytest.raises(UserError, match="the model's window is 512"):
        run(data=long)
    with pytest.raises(UserError, match="too few to hold out"):
        run(data=build_examples(tmp_path / "few.jsonl", 3), evaluation_share=0.1)


def test_only_the_top_layers_are_adapted_where_asked(run, tmp_path):
    from safetensors.torch import load_file

    run(lora={"rank": 4, "last_layers": 1, "targets": ["q_proj", "v_proj"]})
    names = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    assert len(names) == 4
    assert all(".layers.1." in name for name in names)


def test_the_base_models_own_dropout_is_off(build_model, tmp_path, run):
    model = build_model(tmp_path / "opt", kind="opt")
    a = run("a", model=model, max_steps=2, max_tokens_per_micro_batch=1)
    b = run("b", model=model, max_steps=2)
    assert a.loss_last == pytest.approx(b.loss_last, rel=1e-5)


@pytest.mark.parametrize("lora", [{"rank_stabilized": True}, {"decomposed": True}])
def test_rslora_and_dora_train_every_tensor(short_run, lora, tmp_path):
    figures, lines = short_run("run", lora={"rank": 4, "alpha": 8, **lora}, max_steps=4)
    assert figures.unmoved_tensors == 0
    assert lines[-1]["loss"] < lines[0]["loss"]
    config = json.loads((tmp_path / "run" / "adapter" / "adapter_config.json").read_text())
    assert config["use_rslora"] is ("rank_stabilized" in lora)
    assert config["use_dora"] is ("decomposed" in lora)


@pytest.mark.parametrize("dtype", ["uint8", "bfloat16", "float32", "int64"])
def test_a_checksum_of_parts_is_that_of_the_whole_tensor(monkeypatch, dtype):
    import torch

    from kofinlaw.trainer import adapter

    model = torch.nn.Module()
    values = torch.arange(-30, 71).to(getattr(torch, dtype))
    model.register_buffer("values", values)
    whole = adapter.frozen_checksums(model)
    monkeypatch.setattr(adapter, "CHECKSUM_PART", 7)
    assert adapter.frozen_checksums(model) == whole
    values[50] = values[50] + 1
    assert adapter.frozen_checksums(model) != whole
