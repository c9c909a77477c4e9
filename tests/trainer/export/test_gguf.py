"""GGUF exports of pico models; one is really converted if the converter is installed."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from kofinlaw import UserError
from kofinlaw.models.loading import load_model
from kofinlaw.trainer.export import gguf
from kofinlaw.trainer.export.environment import GGUF, is_ready
from kofinlaw.trainer.export.gguf import to_gguf


def test_a_missing_converter_says_how_to_get_it_and_leaves_nothing(tmp_path, llama, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="not set up, and this run is offline") as caught:
        to_gguf(llama, tmp_path / "m.gguf", environments=tmp_path / "env")
    assert "export.environment" in caught.value.remedy
    assert not (tmp_path / "m.gguf").exists()


def test_gemma_without_its_vocabulary_is_refused(tmp_path, llama, monkeypatch):

    monkeypatch.setattr(gguf, "environment_python", lambda *_: tmp_path)
    source = shutil.copytree(llama, tmp_path / "gemma")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, "model_type": "gemma3_text"}))
    with pytest.raises(UserError, match=r"no tokenizer\.model"):
        to_gguf(source, tmp_path / "m.gguf")


def test_4_bit_gguf_is_refused_where_no_quantiser_is_found(tmp_path, llama, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"needs llama\.cpp's llama-quantize") as caught:
        to_gguf(llama, tmp_path / "m.gguf", out_type="q4_k_m")
    assert "gguf-q8_0, which needs none" in caught.value.remedy


def test_a_quantiser_that_is_found_makes_the_file_from_bf16(tmp_path, llama, monkeypatch):
    def convert(python, source, target, out_type):
        target.write_text(out_type)

    monkeypatch.setattr(gguf, "environment_python", lambda *_: tmp_path)
    monkeypatch.setattr(gguf, "_convert", convert)
    tool = tmp_path / "llama-quantize"
    tool.write_text('#!/bin/sh\necho "$(cat $1) to $3" > $2\n')
    tool.chmod(0o755)
    facts = to_gguf(llama, tmp_path / "m.gguf", out_type="q4_k_m", quantizer=tool)
    assert (tmp_path / "m.gguf").read_text() == "bf16 to Q4_K_M\n"
    assert facts["out_type"] == "q4_k_m"
    tool.write_text("#!/bin/sh\necho unknown model >&2; exit 1\n")
    with pytest.raises(UserError, match="refused this model: unknown model"):
        to_gguf(llama, tmp_path / "n.gguf", out_type="q4_k_m", quantizer=tool)
    assert not (tmp_path / "n.gguf").exists()


def test_a_gemma_whose_head_was_trained_alone_is_refused(tmp_path, llama, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    merged = shutil.copytree(llama, tmp_path / "m")
    config = json.loads((merged / "config.json").read_text())
    for kind, refused in (("gemma2", True), ("llama", False)):
        changed = {**config, "model_type": kind, "tie_word_embeddings": False}
        (merged / "config.json").write_text(json.dumps(changed))
        with pytest.raises(UserError) as caught:
            to_gguf(merged, tmp_path / "m.gguf", environments=tmp_path / "none", out_type="f16")
        assert ("one tensor for both" in caught.value.message) is refused


def test_added_tokens_are_named_where_the_converter_looks(
    tmp_path, llama, write_gguf, pico_vocabulary
):
    merged = shutil.copytree(llama, tmp_path / "m")
    (merged / "tokenizer.model").write_bytes(b"")
    (staged := tmp_path / "staged").mkdir()
    gguf._stage(merged, staged, None)
    decoder = json.loads((staged / "tokenizer_config.json").read_text())["added_tokens_decoder"]
    assert decoder["7"] == {"content": "<|end|>", "special": True}
    assert "added_tokens_decoder" not in json.loads((merged / "tokenizer_config.json").read_text())
    written = write_gguf(tmp_path / "v.gguf")
    gguf._check_added_tokens(merged, written)
    tokenizer = json.loads((merged / "tokenizer.json").read_text())
    tokenizer["added_tokens"].append({"id": 3, "content": "<금액>", "special": True})
    (merged / "tokenizer.json").write_text(json.dumps(tokenizer))
    tokens = ["[PAD3]" if number == 3 else text for number, text in enumerate(pico_vocabulary[0])]
    with pytest.raises(UserError, match=r"left out the added token '<금액>' \(3\)"):
        gguf._check_added_tokens(merged, write_gguf(tmp_path / "w.gguf", tokens=tokens))


@pytest.mark.slow
@pytest.mark.skipif(
    not is_ready(GGUF),
    reason="the GGUF converter is not set up: python -m kofinlaw.trainer.export.environment",
)
def test_a_pico_llama_becomes_gguf_and_answers_in_llama_cpp(
    tmp_path, pico, write_gguf, pico_vocabulary
):
    xllamacpp = pytest.importorskip("xllamacpp", reason="the extra `quickstart` is not installed")
    tokens, _, _ = pico_vocabulary
    base = pico.write_llama(tmp_path / "base", vocab_size=len(tokens), pad_token_id=None)
    vocabulary = write_gguf(tmp_path / "v.gguf")
    facts = to_gguf(base, tmp_path / "m.gguf", out_type="bf16", vocabulary_from=vocabulary)
    assert facts["vocabulary"].endswith("table equal")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(tmp_path / "m.gguf")
    parameters.n_ctx, parameters.n_parallel = 128, 1
    server = xllamacpp.Server(parameters)
    prompt = [1, 262, 265, 268, 269, 270]
    reply = server.handle_completions({"prompt": prompt, "n_predict": 6, "temperature": 0,
                                       "n_probs": 1, "logit_bias": []})  # fmt: skip
    said = [item["id"] for item in reply["choices"][0]["logprobs"]["content"]]
    model = load_model(base, dtype="float32")
    ours = model.generate(torch.tensor([prompt]), max_new_tokens=len(said), do_sample=False)
    assert ours[0, len(prompt) :].tolist() == said
