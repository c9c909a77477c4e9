"""What an export keeps, and what it refuses to mix in one folder."""

from __future__ import annotations

import json

import pytest

from kofinlaw import UserError
from kofinlaw.trainer.export import export_formats as formats
from kofinlaw.trainer.export.export_formats import export_model
from kofinlaw.trainer.export.settings import ExportSettings
from kofinlaw.trainer.merge.merge_model import merge_adapter


def test_a_form_that_is_there_is_kept(tmp_path, llama):
    settings = ExportSettings.model_validate({"formats": ["bnb-4bit"]})
    first = export_model(settings, llama, tmp_path / "out")
    folder = next(path for path in (tmp_path / "out").iterdir() if path.is_dir())
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert export_model(settings, llama, tmp_path / "out") == first
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_a_target_with_another_merge_s_export_is_refused(tmp_path, llama, plain_adapter):
    settings = ExportSettings.model_validate({"formats": ["hf"]})
    for dtype in ("bfloat16", "float32"):
        merge_adapter(plain_adapter, llama, tmp_path / dtype, base="original", dtype=dtype)
    export_model(settings, tmp_path / "bfloat16", tmp_path / "out")
    with pytest.raises(UserError, match="holds another merge's export") as caught:
        export_model(settings, tmp_path / "float32", tmp_path / "out")
    assert "name another folder" in caught.value.remedy


def test_a_form_made_with_other_settings_is_refused(tmp_path, llama, monkeypatch, write_gguf):
    def to_gguf(merged, out, **_):
        write_gguf(out)
        return {"file": out.name, "bytes": 4}

    monkeypatch.setattr(formats, "to_gguf", to_gguf)

    def call(**fields):
        settings = ExportSettings.model_validate({"formats": ["gguf-q4_k_m"], **fields})
        return export_model(settings, llama, tmp_path / "out")

    assert call(quantizer="here") == call(quantizer="here", calibration_samples=9)
    with pytest.raises(UserError, match="gguf-q4_k_m made with other settings"):
        call(quantizer="there")
    (facts,) = json.loads((tmp_path / "out" / "export.json").read_text()).values()
    modelfile = tmp_path / "out" / facts["modelfile"]
    assert f"FROM ./{facts['file']}" in modelfile.read_text()
    modelfile.unlink()  # an export of an earlier version has none
    call(quantizer="here")
    assert modelfile.exists()


def test_without_training_chunks_nothing_is_written(tmp_path, llama):
    settings = ExportSettings.model_validate({"formats": ["gptq"]})
    with pytest.raises(UserError, match="calibrated on the training's chunks"):
        export_model(settings, llama, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
