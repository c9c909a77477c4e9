"""AWQ and GPTQ: their calibration texts, and real runs where llm-compressor is set up."""

from __future__ import annotations

import json

import pytest
import torch

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.records import Chunk, Example
from kofinlaw.trainer.export.compressed import calibration_texts, spread, to_compressed
from kofinlaw.trainer.export.environment import LLM_COMPRESSOR, is_ready
from kofinlaw.trainer.export.export_formats import export_model
from kofinlaw.trainer.export.settings import ExportSettings


@pytest.fixture
def corpus(tmp_path):
    """Nine chunks; the first six are trained on, the others evaluated."""
    chunks = [
        Chunk(f"법/제{n}조", "법", "법", "statute", f"제{n}조", f"법 제{n}조",
              f"제{n}조 보고는 {n}일 이내에 하고 제{n}항에 따라 고지한다.",
              "2025-01-01", "sample", "Apache-2.0", "0")
        for n in range(1, 10)
    ]  # fmt: skip
    examples = [
        Example(f"e{n}", "choice", [], "1", {"chunks": [chunks[n].id, chunks[n + 3].id]})
        for n in range(3)
    ]
    write_jsonl(tmp_path / "chunks.jsonl", chunks)
    write_jsonl(tmp_path / "examples.jsonl", examples)
    return {name: tmp_path / f"{name}.jsonl" for name in ("chunks", "examples")}


def test_calibration_reads_only_chunks_of_training_examples(corpus):
    found = [text[:3] for text in calibration_texts(**corpus)]
    assert found == [f"제{n}조" for n in range(1, 7)]


def test_samples_are_spread_over_all_texts():
    numbers = [str(n) for n in range(10)]
    assert spread(numbers, 4) == ["0", "2", "5", "7"]
    assert spread(numbers, 9)[-1] == "8"
    assert spread(numbers[:3], 4) == numbers[:3]


def test_awq_without_a_gpu_names_gptq(tmp_path, llama, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="awq needs a GPU") as caught:
        to_compressed(llama, tmp_path / "q", "awq", ["제1조"])
    assert "gptq" in caught.value.remedy


def test_offline_without_the_environment_says_how_to_get_it(tmp_path, llama, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="llm-compressor is not set up") as caught:
        to_compressed(llama, tmp_path / "q", "gptq", ["제1조"], environments=tmp_path / "env")
    assert "export.environment llm-compressor" in caught.value.remedy
    assert not (tmp_path / "q").exists()


@pytest.mark.slow
@pytest.mark.skipif(
    not is_ready(LLM_COMPRESSOR),
    reason="not set up: python -m kofinlaw.trainer.export.environment llm-compressor",
)
@pytest.mark.parametrize(
    "method",
    [
        "gptq",
        pytest.param(
            "awq",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
        ),
    ],
)
def test_4_bit_weights_are_really_written_and_near_the_merge(tmp_path, pico, corpus, method):
    from safetensors.torch import load_file

    base = pico.write_llama(tmp_path / "base", hidden_size=128, head_dim=32)
    settings = ExportSettings.model_validate({"formats": [method], "calibration_tokens": 64})
    export_model(settings, base, tmp_path / "out", **corpus)
    facts = json.loads((tmp_path / "out" / "export.json").read_text())[method]
    folder = tmp_path / "out" / facts["folder"]
    assert facts["calibration_texts"] == 6
    config = json.loads((folder / "config.json").read_text())
    assert config["quantization_config"]["quant_method"] == "compressed-tensors"
    assert (folder / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    stored = load_file(folder / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj"
    packed, scale = stored[f"{name}.weight_packed"], stored[f"{name}.weight_scale"].float()
    nibbles = torch.stack([packed >> shift & 15 for shift in range(0, 32, 4)], dim=-1)
    values = nibbles.reshape(packed.shape[0], -1).float()
    zero = 8.0 if method == "gptq" else zeros_of(stored[f"{name}.weight_zero_point"])
    ours = (values - zero) * scale
    weight = load_file(base / "model.safetensors")[f"{name}.weight"].float()
    if method == "gptq":  # AWQ also moves scales between layers
        assert (ours - weight).norm() / weight.norm() < 0.25
    assert ours.shape == weight.shape


def zeros_of(packed):
    """One zero point a row and group, packed down the rows."""
    return torch.stack([packed >> shift & 15 for shift in range(0, 32, 4)], dim=1).reshape(
        -1, packed.shape[1]
    )


def test_doctor_says_which_exporters_are_ready(tmp_path):
    from kofinlaw.trainer.export.environment import KNOWN, environment_findings

    found = environment_findings(tmp_path)
    assert [one.name for one in found] == [f"exporter {name}" for name in KNOWN]
    assert all(one.ok and "made on first use" in one.found for one in found)


def test_pip_may_use_the_network_to_make_an_environment_and_programs_may_not(monkeypatch):
    import sys

    from kofinlaw.trainer.export.environment import run_exporter

    monkeypatch.delenv("PIP_NO_INDEX", raising=False)  # an offline run in this process sets it
    code = "import os, sys; sys.exit(bool(os.environ.get('PIP_NO_INDEX')))"
    run_exporter([sys.executable, "-c", code], "no", where="x", online=True)
    with pytest.raises(UserError, match="no"):
        run_exporter([sys.executable, "-c", code], "no", where="x")
