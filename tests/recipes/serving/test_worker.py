"""The engine's process: it fails to load, dies, and ends with the server."""

import concurrent.futures
import os
import signal
from pathlib import Path

import pytest
from small_serving import Logged, dies, never, until, wait_for_address

from kofinlaw import UserError
from kofinlaw.recipes.api import Limits
from kofinlaw.recipes.serving.jobs import Complete
from kofinlaw.recipes.serving.worker import Worker, WorkerLostError


def test_a_run_that_cannot_be_loaded_is_one_error():
    with pytest.raises(UserError, match="no such thing"):
        Worker(never).start()
    with pytest.raises(WorkerLostError, match="while it loaded"):
        Worker(dies).start()


def children(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc on this system")
def test_a_killed_server_leaves_no_process_behind(program):
    server = program()
    wait_for_address(server)
    own = children(server.pid)
    assert own
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not [one for one in own if Path(f"/proc/{one}").exists()])


def test_a_stopped_worker_ends_its_batch_and_starts_no_other(tmp_path):
    own = Worker(Logged(tmp_path / "log"))
    own.start()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        batch = pool.submit(own.run, [Complete(({"role": "user", "content": "hang"},), Limits())])
        until((tmp_path / "log").exists)
        own.stop()
        with pytest.raises(WorkerLostError, match="the server stops"):
            batch.result(60)
    with pytest.raises(WorkerLostError, match="the server stops"):
        own.run([])
    own.stop()
