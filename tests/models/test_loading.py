from __future__ import annotations

import json
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.models.loading import load_model, load_tokenizer

TEXT = "<s>전자금융거래법 제9조 ①항: 손해를 배상할 책임을 진다.</s>"


def test_the_light_tokenizer_agrees_with_transformers(llama):
    from transformers import AutoTokenizer

    ours = load_tokenizer(llama)
    theirs = AutoTokenizer.from_pretrained(llama, local_files_only=True)
    assert ours.encode(TEXT) == theirs.encode(TEXT, add_special_tokens=False)
    assert ours.encode_batch([TEXT, "가"]) == [ours.encode(TEXT), ours.encode("가")]
    assert ours.count(TEXT) == len(ours.encode(TEXT))
    assert ours.decode(ours.encode(TEXT), skip_special_tokens=False) == TEXT
    assert ours.decode(ours.encode(TEXT)) == TEXT[3:-4]
    assert (ours.special("bos_token"), ours.special("eos_token"), ours.id_of("없는 토큰")) == (
        1,
        2,
        None,
    )


def test_offsets_cover_the_text(llama):
    ids, offsets = load_tokenizer(llama).offsets("손해 배상 a1")
    assert len(ids) == len(offsets)
    assert offsets[-1][1] == len("손해 배상 a1")


def test_a_missing_or_broken_tokenizer_is_one_error(llama, tmp_path):
    with pytest.raises(UserError, match=r"no tokenizer\.json"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"broken tokenizer\.json"):
        load_tokenizer(tmp_path)


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
    with pytest.raises(UserError, match=f"{hidden} inputs, no multiple of NF4's block") as caught:
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
    with pytest.raises(UserError, match="does not load"):
        load_model(torn)
    with pytest.raises(UserError, match="adapter_config"):
        load_model(llama, adapter=tmp_path)
