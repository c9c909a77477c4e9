"""Atomic files and folders, and JSON Lines that survive a kill."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path

import pytest

from kofinlaw import UserError, files
from kofinlaw.files import (
    atomic_folder,
    cache_folder,
    existing_path,
    stage_folders,
    write_json,
)


def write(folder, text):
    with atomic_folder(folder) as temporary:
        (temporary / "text.txt").write_text(text, encoding="utf-8")


def test_a_complete_folder_replaces_the_older_one(tmp_path):
    write(tmp_path / "out", "제1조")
    (tmp_path / "out" / "old.txt").touch()
    (tmp_path / ".out.tmp").mkdir()  # what a killed writer left
    (tmp_path / ".out.tmp" / "half.txt").touch()
    write(tmp_path / "out", "제2조")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["text.txt"]
    assert (tmp_path / "out" / "text.txt").read_text(encoding="utf-8") == "제2조"


def test_all_is_on_the_disk_before_the_folder_has_its_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(
        files, "sync", lambda path: synced.append((path.name, (tmp_path / "out").exists()))
    )
    write(tmp_path / "out", "제1조")
    assert synced == [("text.txt", False), (".out.tmp", False), (tmp_path.name, True)]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_one_clear_error_and_the_older_folder_is_kept(tmp_path, error):
    write(tmp_path / "out", "제1조")
    with pytest.raises(UserError, match="no space left"), atomic_folder(tmp_path / "out"):
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "text.txt").read_text(encoding="utf-8") == "제1조"


def test_a_file_that_fails_keeps_its_older_content_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.bin"
    with files.atomic_write_bytes(path) as handle:
        handle.write("제1조".encode())
    with pytest.raises(UserError, match="no space left"), files.atomic_write_bytes(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert [child.name for child in tmp_path.iterdir()] == ["a.bin"]
    assert path.read_text(encoding="utf-8") == "제1조"


def test_an_appender_removes_a_line_that_a_killed_process_left_incomplete(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "1"}\n{"id": "2', encoding="utf-8")
    with files.JsonlAppender(path) as appender:
        appender.append({"id": "3"})
    assert [row["id"] for _, row in files.read_json_lines(path)] == ["1", "3"]


@pytest.mark.parametrize(
    "line,reason",
    [
        ("{", "broken JSON"),
        ("[]", "one JSON object"),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
        ('{"a": ' + "[" * 100_000 + "}", "nested too deeply"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, line, reason):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": "\\ud83d\\ude00"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=reason) as error:
        list(files.read_json_lines(path))
    assert error.value.where == f"{path}:2"


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(UserError, match="a folder"):
        list(files.read_json_lines(tmp_path))


def test_a_path_names_a_file_whose_hangul_is_decomposed_and_the_other_way_round(tmp_path):
    folder = tmp_path / unicodedata.normalize("NFD", "내규 모음")
    folder.mkdir()
    file = folder / "여신 규정.md"
    file.write_bytes(b"x")
    composed = tmp_path / "내규 모음" / unicodedata.normalize("NFD", "여신 규정.md")
    assert not composed.exists()
    assert existing_path(composed) == file
    missing = tmp_path / "없음" / "규정.md"
    assert existing_path(missing) == missing
    assert existing_path(Path("README.md")) == Path("README.md")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KOFINLAW_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def test_the_cache_is_where_the_caller_or_the_environment_says(home, monkeypatch):
    monkeypatch.setenv("KOFINLAW_CACHE", "~/models")
    assert cache_folder() == home / "models"
    assert cache_folder(Path("b")) == Path("b")
    monkeypatch.setenv("KOFINLAW_CACHE", "")
    assert cache_folder() == home / ".cache" / "kofinlaw"


def test_a_folder_of_earlier_runs_is_used_again(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "c"))
    assert cache_folder() == home / "c" / "kofinlaw"
    (home / ".cache" / "kofinlaw").mkdir(parents=True)
    assert cache_folder() == home / ".cache" / "kofinlaw"


def test_a_link_keeps_leading_to_its_file(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "out.csv"
    link.symlink_to(tmp_path / "real" / "out.csv")
    files.write_text(link, "첫째")
    files.write_text(link, "둘째")
    assert link.is_symlink()
    assert (tmp_path / "real" / "out.csv").read_text(encoding="utf-8") == "둘째"


def test_a_pipe_is_written_directly_and_remains(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write_text(pipe, "답\n")
    assert os.read(reading, 100).decode() == "답\n"
    os.close(reading)
    assert pipe.is_fifo()


def test_a_full_device_is_said_and_remains():
    with pytest.raises(UserError, match="no space left"):
        files.write_text(Path("/dev/full"), "답")
    assert not Path("/dev/full").is_file()


def test_the_stages_of_a_run_are_those_that_are_finished_and_in_use(tmp_path):
    for name in ("train", "data", ".merge.partial", "train.set-aside-1"):
        write_json(tmp_path / name / "stage.json", {})
    (tmp_path / "empty").mkdir()
    assert [folder.name for folder in stage_folders(tmp_path)] == ["data", "train"]
