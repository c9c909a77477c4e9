"""Hashes of large files are remembered, and never used for a file that may have changed."""

import os
import time

import pytest

from kofinlaw.files import sha256_file
from kofinlaw.recipes.pipeline.integrity import check_memory
from kofinlaw.recipes.pipeline.integrity.check_memory import CHECKED, LARGE, CheckMemory


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A file that is read once and then remembered, as if it had been written long ago."""
    monkeypatch.setattr(check_memory, "SETTLED_SECONDS", -10.0)
    path = tmp_path / "merge" / "model.safetensors"
    path.parent.mkdir()
    path.write_bytes(bytes(LARGE))
    memory = CheckMemory(tmp_path)
    memory.sha256(path)
    memory.save()
    return path


def read(tmp_path, path):
    memory = CheckMemory(tmp_path)
    assert memory.sha256(path) == sha256_file(path)
    memory.save()
    return memory.read_bytes


def test_an_unchanged_large_file_is_read_once(tmp_path, large):
    assert read(tmp_path, large) == 0


def test_a_small_file_is_read_each_time(tmp_path, large):
    small = tmp_path / "small"
    small.write_bytes(b"1")
    assert [read(tmp_path, small), read(tmp_path, small)] == [1, 1]


def test_a_full_check_reads_the_file_again(tmp_path, large):
    memory = CheckMemory(tmp_path)
    memory.fresh_sha256(large)
    assert memory.read_bytes == LARGE


def test_a_bit_that_is_flipped_with_the_old_time_is_noticed(tmp_path, large):
    before = large.stat()
    with open(large, "r+b") as handle:
        handle.write(b"\1")
    os.utime(large, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read(tmp_path, large) == LARGE
    assert read(tmp_path, large) == 0


def test_a_file_that_was_put_in_its_place_is_noticed(tmp_path, large):
    before = large.stat()
    other = tmp_path / "other"
    other.write_bytes(b"\1" * LARGE)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(large)
    assert read(tmp_path, large) == LARGE


def test_a_file_that_changed_a_moment_ago_is_not_remembered(tmp_path):
    """A file system with coarse times gives the same time to the next change."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes(LARGE))
    assert [read(tmp_path, path), read(tmp_path, path)] == [LARGE, LARGE]
    assert not (tmp_path / CHECKED).exists()


def test_a_time_in_the_future_is_not_believed(tmp_path, large):
    later = time.time() + 3600
    os.utime(large, (later, later))
    assert [read(tmp_path, large), read(tmp_path, large)] == [LARGE, LARGE]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 1, "files": {"merge/model.safetensors": [1]}}', "[" * 9]
)
def test_a_memory_that_cannot_be_read_only_costs_time(tmp_path, large, content):
    (tmp_path / CHECKED).write_text(content)
    assert read(tmp_path, large) == LARGE


def test_without_a_place_to_write_the_file_is_read(tmp_path, large, monkeypatch):
    monkeypatch.setattr(CheckMemory, "_file_system_time", lambda self: None)
    (tmp_path / CHECKED).unlink()
    assert [read(tmp_path, large), read(tmp_path, large)] == [LARGE, LARGE]
