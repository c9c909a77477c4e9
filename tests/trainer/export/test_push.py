"""Uploads need an explicit repository and token; no connection is made here."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_json
from kofinlaw.trainer.export.push import push_export, upload


class Hub:
    """A fake of the Hub's client that records its calls."""

    def __init__(self, token):
        self.calls.append(("token", token))

    def create_repo(self, name, *, private, exist_ok):
        self.calls.append(("repo", name, private))
        return f"https://hub.example/{name}"

    def upload_folder(self, *, repo_id, folder_path):
        self.calls.append(("folder", repo_id, folder_path))

    def upload_file(self, *, repo_id, path_or_fileobj, path_in_repo):
        self.calls.append(("file", repo_id, path_in_repo))


@pytest.fixture
def calls(monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    monkeypatch.setattr(Hub, "calls", [], raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_TOKEN", "a token of this machine")
    return Hub.calls


@pytest.mark.parametrize(
    ("repository", "token"),
    [(None, None), ("", "t"), ("owner/model", None), ("owner/model", ""), ("model", "t")],
)
def test_nothing_happens_without_repository_and_token(tmp_path, calls, repository, token):
    with pytest.raises(UserError, match="without an explicit repository and token"):
        upload(tmp_path, repository, token)
    assert calls == []


def test_offline_refuses(tmp_path, calls, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="offline: nothing is uploaded"):
        upload(tmp_path, "owner/model", "t")
    assert calls == []


def test_a_named_push_is_private_and_uses_the_named_token(tmp_path, calls):
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    write_json(tmp_path / "export.json", {"gguf-q8_0": {"file": "m.gguf"}})
    address = push_export(tmp_path, "gguf-q8_0", "owner/model", "t")
    assert address == "https://hub.example/owner/model"
    assert calls == [
        ("token", "t"),
        ("repo", "owner/model", True),
        ("file", "owner/model", "m.gguf"),
    ]
