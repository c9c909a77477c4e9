"""Damaged checkpoints and a full disk."""

from __future__ import annotations

import errno
import json
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.trainer.merge import tensor_files
from kofinlaw.trainer.merge.merge_model import merge_adapter
from kofinlaw.trainer.merge.merge_plan import plan_merge


def test_missing_truncated_and_unindexed_shards_are_refused(tmp_path, llama, plain_adapter):
    base = shutil.copytree(llama, tmp_path / "base")
    shard = sorted(base.glob("*.safetensors"))[1]
    whole = shard.read_bytes()
    shard.unlink()
    with pytest.raises(UserError, match="names a file that is not there"):
        plan_merge(plain_adapter, base)
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="truncated or corrupt"):
        plan_merge(plain_adapter, base)
    shard.write_bytes(b"\x00" * 100)
    with pytest.raises(UserError, match="truncated or corrupt"):
        plan_merge(plain_adapter, base)
    shard.write_bytes(whole)
    index = base / "model.safetensors.index.json"
    value = json.loads(index.read_text())
    del value["weight_map"]["model.norm.weight"]
    index.write_text(json.dumps(value))
    with pytest.raises(UserError, match="index and shards disagree"):
        plan_merge(plain_adapter, base)


def test_a_disk_that_fills_up_leaves_nothing(tmp_path, llama, adapter, monkeypatch):

    class Full:
        def __init__(self, handle):
            self.handle, self.left = handle, 20_000

        def write(self, data):
            self.left -= len(data)
            if self.left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.handle.write(data)

        def __getattr__(self, name):
            return getattr(self.handle, name)

    def opened(path, mode="r", **options):
        handle = open(path, mode, **options)
        return Full(handle) if str(path).endswith(".safetensors") and "w" in mode else handle

    monkeypatch.setattr(tensor_files, "open", opened, raising=False)
    with pytest.raises(UserError, match="no space left"):
        merge_adapter(adapter, llama, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
