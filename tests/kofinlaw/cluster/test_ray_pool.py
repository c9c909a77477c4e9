"""Ray on loopback. The kills are those of `benchmarks/ray_kills.py`, at a small size."""

import importlib.util
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import cluster_jobs
import psutil
import pytest

from kofinlaw import UserError
from kofinlaw.cluster.jobs import Job, in_order
from kofinlaw.cluster.opening import open_workers

ROOT = Path(__file__).parents[3]
pytest.importorskip("ray", reason="Ray is not installed (extra ray)")

_spec = importlib.util.spec_from_file_location("acts", ROOT / "tests" / "augment" / "conftest.py")
acts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(acts)


def _listening():
    """The addresses on which the processes of this one listen."""
    found = [psutil.Process(), *psutil.Process().children(recursive=True)]
    sockets = [s for process in found for s in process.net_connections("inet")]
    return {s.laddr.ip.removeprefix("::ffff:") for s in sockets if s.status == "LISTEN"}


def job(work):
    return Job("test", partial(nullcontext, 3), work, gib=0.1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ray_on_this_machine_gives_the_results_and_errors_of_one_process(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    with open_workers("auto") as workers:
        with workers.start(job(cluster_jobs.triple)) as pool:
            assert list(in_order(pool, range(20))) == [3 * n for n in range(20)]
            assert _listening() == {"127.0.0.1"}
        with workers.start(job(cluster_jobs.refuse)) as pool, pytest.raises(UserError) as caught:
            list(in_order(pool, range(2)))
    assert str(caught.value) == "file:3: this item is broken\n  → fix it"


@pytest.mark.parametrize("address", ["ray://127.0.0.1:{}", "ray://192.0.2.1:10001"])
def test_an_address_where_nothing_answers_is_one_error(address):
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # accepts no connection
        named = address.format(silent.getsockname()[1])
        with (
            open_workers(named, offline="127" in address) as workers,
            workers.start(job(cluster_jobs.triple)) as pool,
            pytest.raises(UserError, match="no cluster can be reached") as caught,
        ):
            list(pool.results([1]))
    assert caught.value.where == f"cluster: {named}"
    assert "ray start --head" in caught.value.remedy


def test_an_offline_run_refuses_the_cluster_of_another_machine():
    with (
        open_workers("ray://192.0.2.1:10001") as workers,
        workers.start(job(cluster_jobs.triple)) as pool,
        pytest.raises(UserError, match=r"another machine \(192.0.2.1\), and this run is offline"),
    ):
        list(pool.results([1]))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_workers_raylets_and_drivers_leave_the_files_of_one_process(tmp_path):
    folder = tmp_path / "acts"
    folder.mkdir()
    for title, text in acts.ACTS.items():
        head = f"---\n제목: {title}\n시행일자: 2024-01-01\n---\n"
        (folder / f"{title}.md").write_text(head + text, encoding="utf-8")
    command = [sys.executable, str(ROOT / "benchmarks" / "ray_kills.py"), "--rounds", "1"]
    command += ["--first", "3", "--work", str(tmp_path), "--documents", str(folder), "--whole"]
    done = subprocess.run(
        [*command, "--requests", "150", "--batch", "2"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    row = json.loads(done.stdout.splitlines()[-1])
    assert (row["exit"], row["doubled"], row["missing"], row["differ"]) == (0, 0, 0, [])
    assert [event.split()[0] for event in row["killed"]].count("raylet") == 1, row
