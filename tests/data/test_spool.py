"""Records on disk, read in any order."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.cleaning.copies import CodeSpool
from kofinlaw.data.spool import Spool, work_folder


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.one_of(st.text(max_size=20), st.integers(0, 30)), max_size=30))
def test_records_are_read_in_any_order_between_writes(tmp_path, steps):
    with Spool(tmp_path / "a.jsonl") as spool:
        wanted = []
        for step in steps:
            if isinstance(step, str):
                assert spool.append({"text": step}) == len(wanted)
                wanted.append({"text": step})
            elif step < len(wanted):
                assert spool[step] == wanted[step]
        assert list(spool) == wanted
        assert len(spool) == len(wanted)


def test_the_work_folder_is_deleted_with_the_files_of_a_killed_run(tmp_path):
    (tmp_path / ".work").mkdir()
    (tmp_path / ".work" / "chunks.jsonl").write_text('{"id": "half', encoding="utf-8")
    with work_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
        (folder / "new.jsonl").write_text("{}", encoding="utf-8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [Spool, CodeSpool])
def test_a_full_disk_is_said_so_when_a_spool_is_opened(tmp_path, monkeypatch, kind):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(UserError, match="disk"):
        kind(tmp_path / "a")


def test_a_full_disk_is_found_when_the_buffer_is_written_and_not_again_at_the_end():
    with Spool(Path("/dev/full")) as spool:
        spool.append({"text": "제1조"})
        with pytest.raises(UserError, match="no space left"):
            spool[0]
