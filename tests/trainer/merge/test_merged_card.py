"""The files that are written with the merged weights."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from kofinlaw import UserError
from kofinlaw.models import catalogue
from kofinlaw.models.templates import template_for
from kofinlaw.models.weight_headers import weight_files
from kofinlaw.trainer.merge.merge_model import merge_adapter


def tensors_of(folder):
    found = {}
    for path in weight_files(folder):
        found |= load_file(path)
    return found


def test_tokenizer_template_config_and_record_are_written(tmp_path, llama, adapter):
    merge_adapter(adapter, llama, tmp_path / "out")
    out = tmp_path / "out"
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "LICENSE"):
        assert (out / name).read_bytes() == (llama / name).read_bytes(), name
    config = json.loads((out / "config.json").read_text())
    assert config["dtype"] == config["torch_dtype"] == "bfloat16"
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == 10000.0
    assert config["rope_scaling"] is None
    ends = json.loads((out / "generation_config.json").read_text())["eos_token_id"]
    assert ends == [2, 7]  # </s> and the template's <|end|>
    record = json.loads((out / "kofinlaw.json").read_text())
    assert record["merge"]["base"] == "dequantized"
    assert record["name"] == "pico-llama-kofinlaw"
    assert "pico-llama" in (out / "README.md").read_text()


def test_licence_texts_and_a_required_notice_travel_with_the_weights(
    tmp_path, llama, plain_adapter, monkeypatch
):
    """Gemma's terms require a notice, and the base's own texts are copied by any usual name."""
    base = tmp_path / "base"
    shutil.copytree(llama, base)
    for name in ("USE_POLICY.md", "GEMMA_TERMS.html", "Notice"):
        (base / name).write_text(name, encoding="utf-8")
    gemma = catalogue.find_model("google/gemma-3-270m")
    monkeypatch.setattr(catalogue, "recognise_folder", lambda folder: gemma)
    merge_adapter(plain_adapter, base, tmp_path / "out")
    out = tmp_path / "out"
    for name in ("LICENSE", "USE_POLICY.md", "GEMMA_TERMS.html", "Notice"):
        assert (out / name).read_bytes() == (base / name).read_bytes(), name
    notice = (out / "NOTICE.txt").read_text(encoding="utf-8")
    assert notice == f"{catalogue.licence_notice('Gemma')}\n"
    assert "Files: GEMMA_TERMS.html, LICENSE, NOTICE.txt, Notice" in (out / "README.md").read_text()


def test_a_resized_vocabulary_takes_the_adapter_s_tokenizer(tmp_path, pico, llama):
    adapter = pico.write_adapter(
        tmp_path / "a", llama, modules_to_save=["embed_tokens", "lm_head"], record=True
    )
    weights = load_file(adapter / "adapter_model.safetensors")
    whole = [name for name in weights if "embed_tokens" in name or "lm_head" in name]
    for name in whole:
        weights[name] = torch.cat([weights[name], weights[name][:3]])
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match=r"has no tokenizer\.json"):
        merge_adapter(adapter, llama, tmp_path / "out", base="original")
    tokenizer = json.loads((llama / "tokenizer.json").read_text())
    first = max(tokenizer["model"]["vocab"].values()) + 1
    for number, token in enumerate(["조", "항", "호호"]):
        tokenizer["model"]["vocab"][token + "새"] = first + number
    (adapter / "tokenizer.json").write_text(json.dumps(tokenizer))
    merge_adapter(adapter, llama, tmp_path / "out", base="original")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["vocab_size"] == first + 3
    assert tensors_of(tmp_path / "out")["lm_head.weight"].shape[0] == first + 3
    made, brought = tmp_path / "out" / "tokenizer.json", adapter / "tokenizer.json"
    assert made.read_bytes() == brought.read_bytes()


def test_a_byte_order_mark_does_not_make_another_template(tmp_path, llama, adapter):
    changed = shutil.copytree(adapter, tmp_path / "a")
    text = template_for(llama).source
    (changed / "chat_template.jinja").write_text(text, encoding="utf-8-sig")
    merge_adapter(changed, llama, tmp_path / "out")
    assert (tmp_path / "out" / "chat_template.jinja").read_text(encoding="utf-8") == text


def test_a_template_other_than_the_trained_one_is_refused(tmp_path, llama, adapter):
    changed = shutil.copytree(adapter, tmp_path / "a")
    (changed / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    with pytest.raises(UserError, match="not the one the adapter was trained with"):
        merge_adapter(changed, llama, tmp_path / "out")


def test_the_name_of_an_exaone_derivative_must_begin_with_exaone(tmp_path, llama, plain_adapter):
    adapter = shutil.copytree(plain_adapter, tmp_path / "a")
    record = json.loads((adapter / "kofinlaw.json").read_text())
    record["base_id"] = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"
    (adapter / "kofinlaw.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="must begin with EXAONE"):
        merge_adapter(adapter, llama, tmp_path / "out", name="finlaw-7.8b")
    merge_adapter(adapter, llama, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "kofinlaw.json").read_text())
    assert record["name"] == "EXAONE-3.5-7.8B-Instruct-kofinlaw"
