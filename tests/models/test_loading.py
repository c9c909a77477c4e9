from __future__ import annotations

import errno
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.errors import MachineError
from kofinlaw.models.loading import load_model


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_type_is_the_one_asked_for(llama, dtype):
    import torch

    model = load_model(llama, dtype=dtype)
    assert {p.dtype for p in model.parameters()} == {getattr(torch, dtype)}
    assert not model.training
    assert load_model(llama, for_training=True).training


@pytest.fixture(scope="module")
def whole_blocks(pico, tmp_path_factory):
    """A Llama whose layers' inputs are whole blocks of NF4's scales."""
    return pico.save_llama(tmp_path_factory.mktemp("whole") / "model", hidden=64)


def test_nf4_quantises_the_blocks_and_keeps_the_head_and_never_repacks(whole_blocks):
    import bitsandbytes as bnb
    import torch

    model = load_model(whole_blocks, quantization="nf4")
    layers = {n: m for n, m in model.named_modules() if isinstance(m, bnb.nn.Linear4bit)}
    assert len(layers) == 14
    assert "lm_head" not in layers
    for layer in layers.values():
        assert layer.weight.quant_state.quant_type == "nf4"
        assert layer.weight.quant_state.nested
        assert layer.support_avx512bf16_for_cpu is False
    assert model.lm_head.weight.dtype == torch.bfloat16


@pytest.mark.parametrize("hidden", [32, 96])
def test_nf4_layers_that_the_processor_reads_wrongly_are_refused(pico, tmp_path, hidden):
    folder = pico.save_llama(tmp_path / "odd", hidden=hidden)
    with pytest.raises(
        UserError, match=f"{hidden} inputs, which is not a multiple of NF4's block"
    ) as caught:
        load_model(folder, quantization="nf4", device="cpu")
    assert "model.layers.0.self_attn.q_proj" in str(caught.value)
    assert load_model(folder, device="cpu").config.hidden_size == hidden


def test_a_processor_reads_whole_blocks_as_close_as_nf4_is(whole_blocks):
    from bitsandbytes.functional import dequantize_4bit

    plain = load_model(whole_blocks, dtype="float32", device="cpu").state_dict()
    model = load_model(whole_blocks, quantization="nf4", dtype="float32", device="cpu")
    for name, layer in model.named_modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            weight = plain[f"{name}.weight"]
            read = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
            assert (read - weight).norm() < 0.12 * weight.norm(), name


def test_gradients_after_a_pass_without_them_stay_right(whole_blocks):
    """The AVX512-BF16 repacking that the loader switches off breaks exactly this."""
    import torch
    from peft import LoraConfig, get_peft_model

    def gradient(first_without):
        torch.manual_seed(0)
        base = load_model(whole_blocks, quantization="nf4", for_training=True)
        model = get_peft_model(base, LoraConfig(r=4, target_modules="all-linear"))
        ids = torch.arange(3, 35)[None]
        if first_without:
            model.eval()
            with torch.no_grad():
                model(ids)
            model.train()
        model(ids, labels=ids).loss.backward()
        return torch.cat([p.grad.flatten() for n, p in model.named_parameters() if "lora_B" in n])

    before, after = gradient(False), gradient(True)
    assert torch.nn.functional.cosine_similarity(before, after, dim=0) > 0.9999


def test_a_missing_tensor_is_not_made_up(llama, tmp_path):
    from safetensors.torch import load_file, save_file

    short = tmp_path / "short"
    shutil.copytree(llama, short)
    tensors = load_file(short / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, short / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"1 tensors are missing.*layers\.1\.mlp\.up_proj"):
        load_model(short)


def test_a_torn_weight_file_and_an_absent_adapter_are_one_error(llama, tmp_path):
    torn = tmp_path / "torn"
    shutil.copytree(llama, torn)
    weights = torn / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError, match="not a safetensors file"):
        load_model(torn)
    with pytest.raises(UserError, match="adapter_config"):
        load_model(llama, adapter=tmp_path)


@pytest.fixture
def small_adapter(tmp_path, llama):
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj"])
    get_peft_model(load_model(llama), config).save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_weights_that_were_cut_are_said_with_their_file(llama, small_adapter):
    weights = small_adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(UserError, match="bytes, and its header names") as caught:
        load_model(llama, adapter=small_adapter)
    assert caught.value.where == str(weights)
    weights.unlink()
    with pytest.raises(UserError, match=r"no adapter_model\.safetensors"):
        load_model(llama, adapter=small_adapter)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("CUDA error: out of memory"), "memory ran out while loading the adapter"),
        (MemoryError(), "memory ran out while loading the adapter"),
        (OSError(errno.EMFILE, "Too many open files"), "too many open files"),
    ],
)
def test_an_error_of_the_machine_is_not_one_of_the_adapter(
    llama, small_adapter, monkeypatch, error, said
):
    import peft

    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(peft.PeftModel, "from_pretrained", fail)
    with pytest.raises(MachineError, match=said):
        load_model(llama, adapter=small_adapter)
