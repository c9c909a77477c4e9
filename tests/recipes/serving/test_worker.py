"""The engine's process: it fails to load, dies, and ends with the server."""

import concurrent.futures
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_serving import dies, never

from kofinlaw import UserError
from kofinlaw.recipes.serving.worker import Worker, WorkerLostError


def test_a_run_that_cannot_be_loaded_is_one_error():
    with pytest.raises(UserError, match="no such thing"):
        Worker(never).start()
    with pytest.raises(WorkerLostError, match="while it loaded"):
        Worker(dies).start()


SERVER = """
import sys
from pathlib import Path
from small_serving import Logged
from kofinlaw.recipes.serving.server import ServeSettings, serve
if __name__ == "__main__":
    serve(Logged(Path(sys.argv[1])), "pico", None, ServeSettings(port=0), lambda line: print(line, flush=True))
"""


@pytest.fixture
def program(tmp_path):
    """A server with the echoing engine in a process of its own."""
    script = tmp_path / "program.py"
    script.write_text(SERVER)
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    process.log = tmp_path / "log"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def children(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc on this system")
def test_a_killed_server_leaves_no_process_behind(program):
    assert "loading" in program.stdout.readline()
    program.stdout.readline()
    own = children(program.pid)
    assert own
    os.kill(program.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while any(Path(f"/proc/{one}").exists() for one in own) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [one for one in own if Path(f"/proc/{one}").exists()]


def test_a_stopped_server_answers_the_request_under_way(program, ask):
    program.stdout.readline()
    address = program.stdout.readline().split("/   ")[0]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, address, "sleep 1")
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if program.log.exists() and "sleep 1" in program.log.read_text():
                break
            time.sleep(0.02)
        program.terminate()
        assert waiting.result().status_code == 200
    assert program.wait(20) == 0
    assert "server stopped" in program.stdout.read()
