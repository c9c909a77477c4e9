from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from kofinlaw import UserError
from kofinlaw.models.cache import MANIFEST, build_once, hashes_match


def make(text, calls):
    def write(folder):
        calls.append(text)
        (folder / "sub").mkdir()
        (folder / "weights.bin").write_text(text, encoding="utf-8")
        (folder / "sub" / "config.json").write_text("{}", encoding="utf-8")

    return write


def test_a_folder_is_made_once_and_found_again(tmp_path):
    calls = []
    first = build_once(tmp_path / "m", make("가", calls), version="1")
    assert build_once(tmp_path / "m", make("가", calls), version="1") == first
    assert calls == ["가"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [".m.lock", "m"]


@pytest.mark.parametrize("damage", ["change", "remove", "manifest", "truncate"])
def test_a_damaged_folder_is_made_again(tmp_path, damage):
    calls = []
    folder = build_once(tmp_path / "m", make("가나다", calls), version="1")
    weights = folder / "weights.bin"
    if damage == "change":
        weights.write_text("가나라", encoding="utf-8")
    elif damage == "remove":
        (folder / "sub" / "config.json").unlink()
    elif damage == "manifest":
        (folder / MANIFEST).write_text("{", encoding="utf-8")
    else:
        weights.write_bytes(b"")
    hashes_match.cache_clear()
    build_once(folder, make("가나다", calls), version="1")
    assert calls == ["가나다", "가나다"]
    assert weights.read_text(encoding="utf-8") == "가나다"


def test_another_version_is_made_again(tmp_path):
    calls = []
    build_once(tmp_path / "m", make("1", calls), version="1")
    build_once(tmp_path / "m", make("2", calls), version="2")
    assert calls == ["1", "2"]


def test_a_failure_leaves_nothing_behind(tmp_path):
    def fail(folder):
        (folder / "half").write_text("half", encoding="utf-8")
        raise UserError("no")

    with pytest.raises(UserError):
        build_once(tmp_path / "m", fail, version="1")
    assert [p.name for p in tmp_path.iterdir()] == [".m.lock"]


def test_making_may_need_another_folder(tmp_path):
    calls = []

    def outer(folder):
        inner = build_once(tmp_path / "inner", make("안", calls), version="1")
        (folder / "copy").write_bytes((inner / "weights.bin").read_bytes())

    folder = build_once(tmp_path / "outer", outer, version="1")
    assert (folder / "copy").read_text(encoding="utf-8") == "안"


SLOW = """
    import pathlib, sys, time
    from kofinlaw.models.cache import build_once

    def slow(folder):
        for number in range(30):
            (folder / f"{number}.bin").write_bytes(bytes([number]) * 100_000)
            time.sleep(0.01)

    build_once(pathlib.Path(sys.argv[1]), slow, version="1")
"""


def start(folder):
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(SLOW), str(folder)])


@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3])
def test_a_killed_maker_leaves_no_half_folder(tmp_path, delay):
    folder = tmp_path / "m"
    process = start(folder)
    while not list(tmp_path.glob(".m.*.tmp")) and process.poll() is None:
        time.sleep(0.005)
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if folder.exists():
        assert len(list(folder.glob("*.bin"))) == 30
    assert start(folder).wait() == 0
    assert len(list(folder.glob("*.bin"))) == 30
    assert not list(tmp_path.glob(".m.*.tmp"))


def test_two_makers_at_once_make_it_once(tmp_path):
    processes = [start(tmp_path / "m"), start(tmp_path / "m")]
    assert [process.wait() for process in processes] == [0, 0]
    assert len(list((tmp_path / "m").glob("*.bin"))) == 30


def test_a_place_that_cannot_be_written_is_one_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="KOFINLAW_CACHE"):
        build_once(tmp_path / "file" / "m", make("x", []), version="1")


def test_a_full_disk_is_one_error(tmp_path):
    def full(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="no space left"):
        build_once(tmp_path / "m", full, version="1")
