"""Find a model's folder and the hashes of its weights, without the network."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.models import quickstart
from kofinlaw.models.resolve import local_folder, model_folder, weight_hashes
from kofinlaw.models.settings import ModelSettings


def test_the_compliance_hash_is_the_published_one():
    assert weight_hashes(quickstart.MODEL_ID) == {quickstart.GGUF_NAME: quickstart.GGUF_SHA256}


def test_what_is_not_here_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="not on this machine") as error:
        model_folder(ModelSettings(id="solar-10.7b", revision="abc"))
    assert "hf download upstage/SOLAR-10.7B-v1.0 --revision abc" in error.value.remedy


def test_a_local_path_wins_and_is_checked(llama, tmp_path):
    assert model_folder(ModelSettings(id="google/gemma-3-270m", path=llama)) == llama
    assert local_folder(ModelSettings(id="x", path=tmp_path)) is None
    with pytest.raises(UserError, match=r"config\.json"):
        model_folder(ModelSettings(id="x", path=tmp_path))


def test_a_snapshot_in_the_hubs_cache_is_found(llama, tmp_path, monkeypatch):
    from huggingface_hub import constants

    from kofinlaw.models import resolve

    snapshot = tmp_path / "models--me--pico" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    blob = tmp_path / "models--me--pico" / "blobs" / ("a" * 64)
    blob.parent.mkdir()
    for file in llama.iterdir():
        target = blob if file.suffix == ".safetensors" else snapshot / file.name
        target.write_bytes(file.read_bytes())
    (snapshot / "model.safetensors").symlink_to(blob)
    refs = tmp_path / "models--me--pico" / "refs"
    refs.mkdir()
    (refs / "main").write_text("0" * 40, encoding="utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert model_folder(ModelSettings(id="me/pico")) == snapshot
    assert resolve.weight_hashes("me/pico") == {"model.safetensors": "a" * 64}


def test_a_failed_download_keeps_what_came_and_says_so(monkeypatch):
    import huggingface_hub

    def fail(name, *, local_files_only, **rest):
        from huggingface_hub.errors import LocalEntryNotFoundError

        if local_files_only:
            raise LocalEntryNotFoundError("none")
        raise ConnectionError("reset by peer")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(UserError, match="reset by peer") as error:
        model_folder(ModelSettings(id="me/pico"), offline=False)
    assert "kept" in error.value.remedy
