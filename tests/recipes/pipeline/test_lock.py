"""One writer for each run folder."""

import subprocess
import sys

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.lock import run_lock

HOLDER = """
import sys, time
from pathlib import Path
from kofinlaw.recipes.pipeline.lock import run_lock
with run_lock(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_runs_cannot_write_one_folder_and_a_dead_process_loses_its_lock(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline().strip() == "held"
        with pytest.raises(UserError, match=str(process.pid)), run_lock(tmp_path, print):
            pass
    finally:
        process.kill()
        process.wait()
    said = []
    with run_lock(tmp_path, said.append):
        pass
    assert said == [f"took over the lock of process {process.pid}, which no longer runs"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match="a file lies where"),
        run_lock(tmp_path / "file" / "run", print),
    ):
        pass
