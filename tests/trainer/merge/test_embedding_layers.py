"""Trained and resized embeddings and heads, in every form that peft saves, against peft."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.trainer.merge.merge_model import merge_adapter

BOTH = ["embed_tokens", "lm_head"]
TARGETS = ["q_proj", "down_proj"]
FORMS = [
    ("llama", False, True, {}),
    ("llama", False, True, {"modules_to_save": BOTH}),
    ("llama", False, True, {"target_modules": [*TARGETS, *BOTH]}),
    ("llama", False, False, {"trainable_token_indices": {"embed_tokens": [5, 7], "lm_head": [9]}}),
    ("llama", True, True, {"modules_to_save": ["lm_head"]}),
    ("gemma3_text", True, True, {}),
    ("gemma3_text", True, False, {"modules_to_save": ["embed_tokens"]}),
    ("gemma3_text", True, True, {"modules_to_save": ["embed_tokens"]}),
    ("gemma3_text", True, True, {"modules_to_save": BOTH, "ensure_weight_tying": True}),
    ("gemma3_text", True, True, {"target_modules": [*TARGETS, "embed_tokens"]}),
    ("gemma3_text", True, True, {"target_modules": [*TARGETS, "lm_head"]}),
    ("gemma3_text", True, True, {"trainable_token_indices": [5, 7, 339, 340]}),
    ("gemma3_text", True, False, {"trainable_token_indices": {"lm_head": [5, 9]}}),
    ("qwen2", False, True, {"modules_to_save": ["embed_tokens"], "bias": "all"}),
    ("qwen2", True, False, {"bias": "lora_only", "target_modules": [*BOTH[:1], "v_proj"]}),
    ("qwen2", True, False, {"lora_bias": True, "target_modules": ["q_proj", "v_proj"]}),
]
STAY_TIED = {5, 8, 11, 15}  # peft trains one tensor for both, or none


@pytest.fixture(scope="module")
def model_of(pico, tmp_path_factory):
    made = {}

    def get(kind, tied):
        if (kind, tied) not in made:
            folder = tmp_path_factory.mktemp("base") / kind
            made[kind, tied] = pico.write_model(folder, kind, tied=tied)
        return made[kind, tied]

    return get


def tensors(folder):
    return load_file(folder / "adapter_model.safetensors")


@pytest.mark.parametrize("number", range(len(FORMS)))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_merged_model_predicts_as_the_trained_one(tmp_path, pico, model_of, number):
    kind, tied, resize, changes = FORMS[number]
    base, adapter, out = model_of(kind, tied), tmp_path / "a", tmp_path / "out"
    trained = pico.write_trained(adapter, base, resize=resize, **changes)
    merge_adapter(adapter, base, out, dtype="float32", accept_unrecorded=True)
    config = json.loads((out / "config.json").read_text())
    rows = trained.get_input_embeddings().weight.shape[0]
    assert config["vocab_size"] == rows == 339 + 2 * resize
    assert config["tie_word_embeddings"] is (tied and number in STAY_TIED)
    ids = torch.tensor([[1, 5, 7, 9, *range(300, rows)]])
    with torch.no_grad():
        wanted = trained(ids).logits
        found = load_model(out, dtype="float32")(ids).logits
        unmerged = load_model(base, dtype="float32", adapter=adapter)(ids).logits
    largest = float(wanted.abs().max())
    assert float((found - wanted).abs().max()) < 1e-5 * largest
    assert float((unmerged - wanted).abs().max()) < 1e-5 * largest  # its vocabulary is resized too
    if not tied:  # peft adds the change of a tied embedding to the head too
        in_place = trained.merge_and_unload()(ids).logits
        assert float((found - in_place).abs().max()) < 1e-5 * largest


@pytest.mark.parametrize("number", [8, 9, 11])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_its_proof_passes(tmp_path, pico, model_of, number):
    from kofinlaw.trainer.proof.prove import prove_merge
    from kofinlaw.trainer.proof.settings import VerifySettings

    kind, tied, resize, changes = FORMS[number]
    base, adapter, out = model_of(kind, tied), tmp_path / "a", tmp_path / "out"
    pico.write_trained(adapter, base, resize=resize, **changes)
    merge_adapter(adapter, base, out, dtype="float32", accept_unrecorded=True)
    few = VerifySettings(greedy_prompts=0, max_tokens_per_prompt=16, kl_positions=32)
    result = prove_merge(out, adapter, base, settings=few)
    assert result.failed == ()
    lora = {name.partition(".lora_")[0] for name in tensors(adapter) if ".lora_" in name}
    assert result.weights.modules == len(lora)


def test_the_adapter_s_tokens_and_special_ids_follow(tmp_path, pico, model_of):
    base, adapter, out = model_of("llama", False), tmp_path / "a", tmp_path / "out"
    pico.write_trained(adapter, base, resize=True)
    path = adapter / "tokenizer_config.json"
    changed = {"pad_token": "<금액>", "eos_token": "<날짜>"}
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    merge_adapter(adapter, base, out, dtype="float32", accept_unrecorded=True)
    assert (out / "tokenizer.json").read_bytes() == (adapter / "tokenizer.json").read_bytes()
    config = json.loads((out / "config.json").read_text())
    assert (config["bos_token_id"], config["eos_token_id"], config["pad_token_id"]) == (1, 340, 339)
    ends = json.loads((out / "generation_config.json").read_text())["eos_token_id"]
    assert ends == [2, 7, 340]  # the base's, the template's and the adapter's


def test_added_tokens_without_rows_are_refused(tmp_path, pico, model_of):
    base, adapter = model_of("llama", False), tmp_path / "a"
    pico.write_trained(adapter, base, resize=True)
    kept = {n: w for n, w in tensors(adapter).items() if "lora" in n}
    save_file(kept, adapter / "adapter_model.safetensors")  # save_embedding_layers=False
    with pytest.raises(UserError, match=r"2 tokens without a row.*'<금액>' \(339\)") as caught:
        merge_adapter(adapter, base, tmp_path / "out", accept_unrecorded=True)
    assert "save_embedding_layers=True" in caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_one_resized_layer_alone_is_refused(tmp_path, pico, model_of):
    base, adapter = model_of("llama", False), tmp_path / "a"
    pico.write_trained(adapter, base, resize=True)
    kept = {n: w for n, w in tensors(adapter).items() if not n.endswith("lm_head.weight")}
    save_file(kept, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match=r"different numbers of rows: \[339, 341\]"):
        merge_adapter(adapter, base, tmp_path / "out", accept_unrecorded=True)


@pytest.mark.parametrize(
    ("listed", "message"),
    [([5, 7, 900], "token 900"), ([5, 7], "not those of 2 tokens"), ([5, 7, "x"], "each once")],
)
def test_rows_of_other_tokens_are_refused(tmp_path, pico, model_of, listed, message):
    base, adapter = model_of("llama", False), tmp_path / "a"
    pico.write_trained(adapter, base, trainable_token_indices=[5, 7, 20])
    path = adapter / "adapter_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "trainable_token_indices": listed}))
    with pytest.raises(UserError, match=message):
        merge_adapter(adapter, base, tmp_path / "out", accept_unrecorded=True)
